import type { KindTable } from './kind-table.ts';
import { LineBuilder } from './line-builder.ts';

/**
 * TensorFlow's tool lists every label of an allocation as an operator of no time, so there is one for all.
 */
const LABEL = 'arena';

const STATS = (
  [
    'bytes_allocated',
    'peak_bytes_in_use',
    'bytes_available',
    'bytes_reserved',
    'allocation_bytes',
    'addr',
  ] as const
).map((name) => ({ name, type: 'int' }) as const);

/**
 * How much of a session's arena is in use: what the runtime tells at the beginning and the end of each operator, as
 * allocations and deallocations. A peak within an operator is shown in its height, at the operator's end.
 */
export class MemoryLine {
  readonly line: LineBuilder;
  readonly #allocation: number;
  readonly #deallocation: number;
  #level = 0;
  #peak = 0;
  #blocks = 0;
  /** Blocks that are in use, the newest last: the runtime does not tell which it lets go, so the newest go first. */
  readonly #live: { readonly address: number; bytes: number }[] = [];

  /** @param allocator  tells the session from others, for people */
  constructor(allocator: string, table: KindTable) {
    this.line = new LineBuilder(`memory of ${allocator}`, STATS);
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
    this.line.push(change > 0 ? this.#allocation : this.#deallocation, atNs, 0);
    this.line.set(0, inUse);
    this.line.set(1, this.#peak);
    this.line.set(2, Number.isNaN(held) ? 0 : Math.max(0, held - inUse));
    this.line.set(3, 0);
    this.line.set(4, Math.abs(change));
    this.line.set(5, change > 0 ? this.#take(change) : this.#letGo(-change));
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
