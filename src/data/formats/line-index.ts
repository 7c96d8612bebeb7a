/** Where a line lies in its file. */
export interface IndexedLine {
  /** From 1. */
  readonly line: number;
  readonly start: number;
  readonly sizeBytes: number;
}

const COLUMNS = 3;

/** Where every line of a file lies: 24 bytes a line, in one array that doubles when it is full. */
export class LineIndex {
  #entries = new Float64Array(COLUMNS * 1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add({ line, start, sizeBytes }: IndexedLine): void {
    const at = this.#count * COLUMNS;
    if (at === this.#entries.length) {
      const larger = new Float64Array(2 * this.#entries.length);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[at] = line;
    this.#entries[at + 1] = start;
    this.#entries[at + 2] = sizeBytes;
    this.#count += 1;
  }

  at(index: number): IndexedLine {
    if (!(index >= 0 && index < this.#count)) throw new RangeError(`line ${index} of ${this.#count}`);
    const [line, start, sizeBytes] = this.#entries.subarray(index * COLUMNS, (index + 1) * COLUMNS);
    return { line: line as number, start: start as number, sizeBytes: sizeBytes as number };
  }
}
