import {
  CAT,
  FIELDS,
  FIRST_DETAIL,
  INPUT_SHAPES,
  NAME,
  OP_NAME,
  OUTPUT_SHAPES,
  OUTPUT_SIZE,
  PARAMETER_SIZE,
  PROVIDER,
} from './event-fields.ts';
import type { EventScanner } from './event-scanner.ts';
import { HashTable } from './hash-table.ts';

/** What tells one kind of event from another, the shapes last: they are left out where there are too many of them. */
const TELLING: readonly number[] = [
  CAT,
  NAME,
  OP_NAME,
  PROVIDER,
  OUTPUT_SIZE,
  PARAMETER_SIZE,
  ...FIELDS.slice(FIRST_DETAIL).map((_, index) => FIRST_DETAIL + index),
  INPUT_SHAPES,
  OUTPUT_SHAPES,
];
const TELLING_WITHOUT_SHAPES = TELLING.length - 2;

/**
 * Finds the kind of an event by the bytes of its fields. A model runs the same operators over and over, so the kind that
 * followed the last one before is compared first, which takes a fraction of the time of a hash; only where it is another
 * one is it looked up.
 */
export class KindIndex {
  readonly #mostWithShapes: number;
  readonly #table = new HashTable();
  #count = 0;
  /** By kind, where its bytes begin; and how long each of its fields is, -1 for one that is absent. */
  readonly #starts: number[] = [];
  readonly #lengths: Int32Array[] = [];
  #pool = new Uint8Array(1 << 16);
  #used = 0;
  /** By kind, the one that came after it. */
  readonly #next: number[] = [];
  #last = -1;

  /** @param mostWithShapes  how many kinds may be told apart by their shapes; further ones are not */
  constructor(mostWithShapes: number) {
    this.#mostWithShapes = mostWithShapes;
  }

  /** The number of an event's kind, which is how many there were where it is new. */
  find(scanner: EventScanner, bytes: Uint8Array): number {
    const expected = this.#next[this.#last] ?? -1;
    const kind =
      expected >= 0 && this.#isKind(expected, scanner, bytes) ? expected : this.#lookUp(scanner, bytes);
    if (this.#last >= 0) this.#next[this.#last] = kind;
    this.#last = kind;
    return kind;
  }

  #lookUp(scanner: EventScanner, bytes: Uint8Array): number {
    const fields = this.#count < this.#mostWithShapes ? TELLING.length : TELLING_WITHOUT_SHAPES;
    let hash1 = 0x811c9dc5;
    let hash2 = fields;
    for (let place = 0; place < fields; place++) {
      const field = TELLING[place] as number;
      const to = scanner.to[field] as number;
      // Texts of two fields are apart, however long they are.
      hash1 = Math.imul(hash1 ^ (256 + (to < 0 ? 1 : 0)), 0x01000193);
      for (let i = scanner.from[field] as number; i < to; i++) {
        const byte = bytes[i] as number;
        hash1 = Math.imul(hash1 ^ byte, 0x01000193);
        hash2 = (Math.imul(hash2, 31) + byte) | 0;
      }
    }
    const kind = this.#table.placeOf(hash1, hash2);
    if (kind === this.#count) this.#keep(scanner, bytes, fields);
    return kind;
  }

  #isKind(kind: number, scanner: EventScanner, bytes: Uint8Array): boolean {
    const lengths = this.#lengths[kind] as Int32Array;
    const pool = this.#pool;
    let at = this.#starts[kind] as number;
    for (let place = 0; place < lengths.length; place++) {
      const field = TELLING[place] as number;
      const to = scanner.to[field] as number;
      const from = scanner.from[field] as number;
      const length = lengths[place] as number;
      if (length !== (to < 0 ? -1 : to - from)) return false;
      for (let i = from; i < to; i++) if (bytes[i] !== pool[at++]) return false;
    }
    return true;
  }

  #keep(scanner: EventScanner, bytes: Uint8Array, fields: number): void {
    const lengths = new Int32Array(fields);
    this.#starts.push(this.#used);
    for (let place = 0; place < fields; place++) {
      const field = TELLING[place] as number;
      const to = scanner.to[field] as number;
      const from = scanner.from[field] as number;
      lengths[place] = to < 0 ? -1 : to - from;
      if (to > from) this.#copy(bytes.subarray(from, to));
    }
    this.#lengths.push(lengths);
    this.#next.push(-1);
    this.#count++;
  }

  #copy(bytes: Uint8Array): void {
    if (this.#used + bytes.length > this.#pool.length) {
      const pool = new Uint8Array(2 * this.#pool.length + bytes.length);
      pool.set(this.#pool);
      this.#pool = pool;
    }
    this.#pool.set(bytes, this.#used);
    this.#used += bytes.length;
  }
}
