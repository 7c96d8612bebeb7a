import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';

/** How collectors read. Errors are those of the file system. */
export interface HostFiles {
  /** The text of a file now. */
  read(file: string): string;
  /** The text of a file that seldom changes, at most a second old. */
  readSettled(file: string): string;
  /** Whether there is such a file; that there is none may have been found out a second ago. */
  exists(file: string): boolean;
  /** The names in a folder, at most a second old. */
  list(folder: string): readonly string[];
}

/**
 * A shorter read ends a file. A procfs file of one record comes whole; one of many (diskstats) comes by the page of at
 * least 4 KiB, filled until the next record does not fit, and no record is as long as 1 KiB. This saves the empty read.
 */
const END_OF_FILE_BELOW_BYTES = 3 * 1024;

/** So long what seldom changes is taken for what it was: devices come and go seldom, limits are set by people. */
const SETTLED_MS = 1_000;

interface Settled<T> {
  readonly value: T;
  readonly sinceMs: number;
}

interface OpenFile {
  readonly descriptor: number;
  usedSinceSweep: boolean;
}

/**
 * Reads the same kernel files again and again, keeping them open: reading an open procfs file from its start gives
 * fresh text and costs half of opening it anew. A descriptor of `/proc/PID` also never changes over to a later process
 * that was given the same pid.
 */
export class OpenFiles implements HostFiles {
  readonly #open = new Map<string, OpenFile>();
  readonly #listings = new Map<string, Settled<readonly string[]>>();
  readonly #texts = new Map<string, Settled<string>>();
  readonly #missing = new Map<string, Settled<true>>();
  #buffer = Buffer.allocUnsafe(64 * 1024);

  has(file: string): boolean {
    return this.#open.has(file);
  }

  read(file: string): string {
    for (;;) {
      const end = this.readInto(file, this.#buffer, 0);
      if (end !== undefined) return this.#buffer.toString('utf8', 0, end);
      this.#buffer = Buffer.allocUnsafe(2 * this.#buffer.length);
    }
  }

  /** Copies the bytes of a file to `start` of a buffer. Returns where they end, or undefined where there is too little room for them. */
  readInto(file: string, buffer: Buffer, start: number): number | undefined {
    const opened = this.#open.get(file) ?? this.#openFile(file);
    opened.usedSinceSweep = true;
    try {
      for (let end = start; ; ) {
        const room = buffer.length - end;
        if (room === 0) return undefined;
        const count = readSync(opened.descriptor, buffer, end, room, end - start);
        end += count;
        if (count < END_OF_FILE_BELOW_BYTES && count < room) return end;
      }
    } catch (error) {
      // What it refers to is gone, such as the process; the next read tries the path again.
      this.#close(file, opened);
      throw error;
    }
  }

  readSettled(file: string): string {
    return settled(this.#texts, file, () => this.read(file));
  }

  exists(file: string): boolean {
    if (this.#open.has(file) || isSettled(this.#texts.get(file))) return true;
    // To find out that a file is not there costs as much as to read one that is.
    if (isSettled(this.#missing.get(file))) return false;
    if (existsSync(file)) return true;
    this.#missing.set(file, { value: true, sinceMs: performance.now() });
    return false;
  }

  list(folder: string): readonly string[] {
    return settled(this.#listings, folder, () => readdirSync(folder));
  }

  /** Closes the files that were not read since the last sweep, as those of processes that are watched no more. */
  sweep(): void {
    for (const [file, known] of this.#missing) if (!isSettled(known)) this.#missing.delete(file);
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

  #close(file: string, opened: OpenFile): void {
    this.#open.delete(file);
    closeSync(opened.descriptor);
  }
}

function settled<T>(known: Map<string, Settled<T>>, path: string, read: () => T): T {
  const old = known.get(path);
  if (isSettled(old)) return old.value;
  const value = read();
  known.set(path, { value, sinceMs: performance.now() });
  return value;
}

function isSettled<T>(known: Settled<T> | undefined): known is Settled<T> {
  return known !== undefined && performance.now() - known.sinceMs < SETTLED_MS;
}
