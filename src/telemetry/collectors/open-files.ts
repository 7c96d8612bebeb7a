import { closeSync, openSync, readdirSync, readSync } from 'node:fs';

/**
 * A shorter read ends a file. A procfs file of one record comes whole; one of many (diskstats) comes by the page of at
 * least 4 KiB, filled until the next record does not fit, and no record is as long as 1 KiB. This saves the empty read.
 */
const END_OF_FILE_BELOW_BYTES = 3 * 1024;

/** So long the names in a folder are taken for what they were: devices come and go seldom. */
const LISTING_MS = 1_000;

interface OpenFile {
  readonly descriptor: number;
  usedSinceSweep: boolean;
}

/**
 * Reads the same kernel files again and again, keeping them open: reading an open procfs file from its start gives
 * fresh text and costs half of opening it anew. A descriptor of `/proc/PID` also never changes over to a later process
 * that was given the same pid.
 */
export class OpenFiles {
  readonly #open = new Map<string, OpenFile>();
  readonly #listings = new Map<string, { readonly names: readonly string[]; readonly readMs: number }>();
  #buffer = Buffer.allocUnsafe(64 * 1024);

  has(file: string): boolean {
    return this.#open.has(file);
  }

  /** The text of a file now. Throws the error of the file system. */
  read(file: string): string {
    const opened = this.#open.get(file) ?? this.#openFile(file);
    opened.usedSinceSweep = true;
    try {
      return this.#readAll(opened.descriptor);
    } catch (error) {
      // What it refers to is gone, such as the process; the next read tries the path again.
      this.#close(file, opened);
      throw error;
    }
  }

  /** The names in a folder, at most a second old. Throws the error of the file system. */
  list(folder: string): readonly string[] {
    const nowMs = performance.now();
    const known = this.#listings.get(folder);
    if (known !== undefined && nowMs - known.readMs < LISTING_MS) return known.names;
    const names = readdirSync(folder);
    this.#listings.set(folder, { names, readMs: nowMs });
    return names;
  }

  /** Closes the files that were not read since the last sweep, as those of processes that are watched no more. */
  sweep(): void {
    for (const [file, opened] of this.#open) {
      if (!opened.usedSinceSweep) this.#close(file, opened);
      opened.usedSinceSweep = false;
    }
  }

  #openFile(file: string): OpenFile {
    const opened = { descriptor: openSync(file, 'r'), usedSinceSweep: true };
    this.#open.set(file, opened);
    return opened;
  }

  #readAll(descriptor: number): string {
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, this.#buffer, length, this.#buffer.length - length, length);
      length += count;
      if (count < END_OF_FILE_BELOW_BYTES && length < this.#buffer.length) {
        return this.#buffer.toString('utf8', 0, length);
      }
      if (length === this.#buffer.length) {
        this.#buffer = Buffer.concat([this.#buffer, Buffer.allocUnsafe(length)]);
      }
    }
  }

  #close(file: string, opened: OpenFile): void {
    this.#open.delete(file);
    closeSync(opened.descriptor);
  }
}
