/** Members of an event and of its `args` that are looked at, by their place here. */
export const FIELDS = [
  'cat',
  'name',
  'ts',
  'dur',
  'tid',
  'args',
  'op_name',
  'provider',
  'input_type_shape',
  'output_type_shape',
  'output_size',
  'parameter_size',
  'mem_bytes_in_use',
  'mem_in_use_delta',
  'mem_in_use_peak',
  'mem_arena_held',
  'thread_scheduling_stats',
  'shapes',
  'cache_key',
  'stream',
  'grid_x',
  'grid_y',
  'grid_z',
  'block_x',
  'block_y',
  'block_z',
] as const;

/** Places in `FIELDS`, as constants: an enumeration by name in the inner loop of a scanner. */
export const CAT = 0;
export const NAME = 1;
export const TS = 2;
export const DUR = 3;
export const TID = 4;
export const ARGS = 5;
export const OP_NAME = 6;
export const PROVIDER = 7;
export const INPUT_SHAPES = 8;
export const OUTPUT_SHAPES = 9;
export const OUTPUT_SIZE = 10;
export const PARAMETER_SIZE = 11;
export const IN_USE = 12;
export const GROWTH = 13;
export const PEAK = 14;
export const HELD = 15;
export const SCHEDULING = 16;
/** From here on: arguments of kernels and shaders, kept as text. */
export const FIRST_DETAIL = 17;
export const UNKNOWN = FIELDS.length;

const SLOTS = 1024;

/** The hash by which names of members are recognized, continued by one byte: short and different, so a rotation is enough. */
export function hashByte(hash: number, byte: number): number {
  return ((hash << 5) | (hash >>> 27)) ^ byte;
}

/** Finds the place of a name by its hash; names that are not in `FIELDS` have the place `UNKNOWN`. */
export class FieldTable {
  readonly #slots = new Uint8Array(SLOTS).fill(UNKNOWN);
  readonly #hashes = new Int32Array(FIELDS.length + 1);

  constructor() {
    for (const [place, name] of FIELDS.entries()) {
      const hash = [...Buffer.from(name)].reduce(hashByte, 0);
      const slot = slotOf(hash);
      if (this.#slots[slot] !== UNKNOWN) throw new Error(`'${name}' shares the slot of another field`);
      this.#slots[slot] = place;
      this.#hashes[place] = hash;
    }
  }

  find(hash: number): number {
    const place = this.#slots[slotOf(hash)] as number;
    return this.#hashes[place] === hash ? place : UNKNOWN;
  }
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 9)) & (SLOTS - 1);
}
