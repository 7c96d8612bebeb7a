import type { StatColumn, TraceLine } from '../trace.ts';

export interface StatType {
  readonly name: string;
  readonly type: StatColumn['type'];
}

/** Events of a line, which are added in the order of their beginnings. */
export class LineBuilder {
  readonly name: string;
  readonly #types: readonly StatType[];
  #count = 0;
  #kinds: Uint32Array;
  #startsNs: Float64Array;
  #durationsNs: Float64Array;
  readonly #stats: (Float64Array | undefined)[] = [];

  /**
   * @param types     stats that events may have, by the places at which `set` names them
   * @param capacity  about how many events there will be
   */
  constructor(name: string, types: readonly StatType[] = [], capacity = 64) {
    this.name = name;
    this.#types = types;
    this.#kinds = new Uint32Array(capacity);
    this.#startsNs = new Float64Array(capacity);
    this.#durationsNs = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  push(kind: number, startNs: number, durationNs: number): void {
    const row = this.#count++;
    if (row === this.#kinds.length) this.#grow();
    this.#kinds[row] = kind;
    this.#startsNs[row] = startNs;
    this.#durationsNs[row] = durationNs;
  }

  /** Gives the event that was added last a stat. */
  set(place: number, value: number): void {
    let column = this.#stats[place];
    if (column === undefined) {
      column = new Float64Array(this.#kinds.length).fill(Number.NaN);
      this.#stats[place] = column;
    }
    column[this.#count - 1] = value;
  }

  finish(id: number): TraceLine {
    const count = this.#count;
    return {
      id,
      name: this.name,
      events: {
        count,
        kinds: this.#kinds.subarray(0, count),
        startsNs: this.#startsNs.subarray(0, count),
        durationsNs: this.#durationsNs.subarray(0, count),
        stats: this.#types.flatMap(({ name, type }, place) => {
          const values = this.#stats[place];
          return values === undefined ? [] : [{ name, type, values: values.subarray(0, count) }];
        }),
      },
    };
  }

  #grow(): void {
    const length = Math.ceil(this.#kinds.length * 1.5);
    const kinds = new Uint32Array(length);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    this.#startsNs = longer(this.#startsNs, length);
    this.#durationsNs = longer(this.#durationsNs, length);
    for (const [place, column] of this.#stats.entries()) {
      if (column !== undefined) this.#stats[place] = longer(column, length);
    }
  }
}

/** What is not set is NaN, which in a column of times is never looked at. */
function longer(old: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const column = new Float64Array(length);
  column.set(old);
  column.fill(Number.NaN, old.length);
  return column;
}
