import type { PartEvents } from '../trace-input.ts';
import { LineBuilder } from './line-builder.ts';
import type { PartKinds } from './part-kinds.ts';

/**
 * A line for each thread of a session's pool. The runtime tells how many blocks of an operator's work a thread did, and not
 * when, so that an event here is as long as its operator.
 */
export class WorkerLines {
  readonly lines: readonly LineBuilder[];
  readonly #columns: PartEvents['workers'];
  readonly #kinds: PartKinds;

  /** @param caller  the thread that the pool helps, for people */
  constructor(columns: PartEvents['workers'], kinds: PartKinds, caller: string) {
    this.#columns = columns;
    this.#kinds = kinds;
    this.lines = columns.threads.map(
      (_, index) =>
        new LineBuilder(`helper ${index + 1} of ${caller}: took part in these operators`, [
          { name: 'blocks', type: 'int' },
        ]),
    );
  }

  /** The share that threads had in the operator of a row. */
  add(row: number, kind: number, startNs: number, durationNs: number): void {
    const { count, events, workers, blocks } = this.#columns;
    for (let at = this.#firstOf(row); at < count && events[at] === row; at++) {
      const line = this.lines[workers[at] as number];
      line?.push(this.#kinds.blocks(kind), startNs, durationNs);
      line?.set(0, blocks[at] as number);
    }
  }

  #firstOf(row: number): number {
    const { count, events } = this.#columns;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((events[middle] as number) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
