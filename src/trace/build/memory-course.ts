import type { KindTable } from './kind-table.ts';
import type { LineBuilder, StatType } from './line-builder.ts';

/**
 * TensorFlow's tool lists every label of an allocation as an operator of no time, so there is one for all.
 */
const LABEL = 'arena';

/** Stats of allocations, in the order in which they are written. */
export const MEMORY_STATS: readonly StatType[] = [
  'bytes_allocated',
  'peak_bytes_in_use',
  'bytes_available',
  'bytes_reserved',
  'allocation_bytes',
  'requested_bytes',
  'addr',
].map((name) => ({ name, type: 'int' }));

/**
 * How much of a session's arena is in use: what the runtime tells at the beginning and the end of each operator, as
 * allocations and deallocations on the line of its thread, so that they belong to its steps. A peak within an operator is
 * shown in its height, at the operator's end. How much of it was asked for is not told; it counts as what was taken.
 */
export class MemoryCourse {
  readonly #line: LineBuilder;
  readonly #firstStat: number;
  readonly #allocation: number;
  readonly #deallocation: number;
  #level = 0;
  #peak = 0;
  #blocks = 0;
  /** Blocks that are in use, the newest last: the runtime does not tell which it lets go, so the newest go first. */
  readonly #live: { readonly address: number; bytes: number }[] = [];

  /**
   * @param allocator  tells the session from others, for people
   * @param firstStat  the place of `MEMORY_STATS` among those of the line
   */
  constructor(allocator: string, table: KindTable, line: LineBuilder, firstStat: number) {
    this.#line = line;
    this.#firstStat = firstStat;
    const stats = { allocator_name: allocator, tf_op: LABEL, region_type: 'dynamic' };
    this.#allocation = table.add({ name: 'MemoryAllocation', stats });
    this.#deallocation = table.add({ name: 'MemoryDeallocation', stats });
  }

  /** The bytes in use at a moment, the most so far, and what the arena has from the system. */
  note(atNs: number, inUse: number, peak: number, held: number): void {
    if (Number.isNaN(inUse)) return;
    if (peak > this.#peak && peak > inUse) this.#move(atNs, peak, peak, held);
    this.#move(atNs, inUse, Math.max(peak, inUse), held);
  }

  #move(atNs: number, inUse: number, peak: number, held: number): void {
    this.#peak = Math.max(this.#peak, Number.isNaN(peak) ? inUse : peak);
    const change = inUse - this.#level;
    if (change === 0) return;
    this.#level = inUse;
    const bytes = Math.abs(change);
    this.#line.push(change > 0 ? this.#allocation : this.#deallocation, atNs, 0);
    this.#set(0, inUse);
    this.#set(1, this.#peak);
    this.#set(2, Number.isNaN(held) ? 0 : Math.max(0, held - inUse));
    this.#set(3, 0);
    this.#set(4, bytes);
    this.#set(5, bytes);
    this.#set(6, change > 0 ? this.#take(bytes) : this.#letGo(bytes));
  }

  #set(place: number, value: number): void {
    this.#line.set(this.#firstStat + place, value);
  }

  #take(bytes: number): number {
    this.#live.push({ address: ++this.#blocks, bytes });
    return this.#blocks;
  }

  #letGo(bytes: number): number {
    let left = bytes;
    let address = 0;
    for (let newest = this.#live.at(-1); newest !== undefined && left > 0; newest = this.#live.at(-1)) {
      if (newest.bytes > left) {
        newest.bytes -= left;
        break;
      }
      left -= newest.bytes;
      address = newest.address;
      this.#live.pop();
    }
    return address;
  }
}
