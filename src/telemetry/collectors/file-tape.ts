import type { HostFiles, OpenFiles } from './open-files.ts';

/** Files as they were at one moment, somewhere on a tape. */
export interface Recording {
  readonly files: readonly string[];
  /** Of the first of them, among all that the tape holds. */
  readonly firstIndex: number;
}

/** A file was asked for that the recording does not have. */
export class NotOnTape extends Error {}

/** Room for what one tick reads on a host of some dozen CPUs, ten times over. */
const FIRST_ROOM_BYTES = 256 * 1024;

/**
 * Copies files as they are, which runs little code, so that their texts can be read later, many ticks at a time. Who reads
 * from it sees the files as they were.
 */
export class FileTape implements HostFiles {
  readonly #files: OpenFiles;
  #bytes = Buffer.allocUnsafe(FIRST_ROOM_BYTES);
  /** Where each copy ends; the first begins at 0, every other where the one before it ends. */
  #ends: number[] = [];
  readonly #errors = new Map<number, unknown>();
  #played: Recording | undefined;
  /** The files that were asked for since `note`, without those that need not be of the moment. */
  #noted: Set<string> | undefined;

  constructor(files: OpenFiles) {
    this.#files = files;
  }

  record(files: readonly string[]): Recording {
    const firstIndex = this.#ends.length;
    for (const file of files) {
      const start = this.#ends.at(-1) ?? 0;
      try {
        this.#ends.push(this.#copy(file, start));
      } catch (error) {
        this.#errors.set(this.#ends.length, error);
        this.#ends.push(start);
      }
    }
    return { files, firstIndex };
  }

  /** From now on files are as they were recorded. */
  play(recording: Recording): void {
    this.#played = recording;
  }

  /** From now on files are as they are, and which ones are asked for is noted. */
  note(): void {
    this.#played = undefined;
    this.#noted = new Set();
  }

  noted(): readonly string[] {
    return [...(this.#noted ?? [])];
  }

  /** Forgets what was recorded. */
  rewind(): void {
    this.#ends = [];
    this.#errors.clear();
    this.#played = undefined;
  }

  read(file: string): string {
    if (this.#played === undefined) {
      this.#noted?.add(file);
      return this.#files.read(file);
    }
    const place = this.#played.files.indexOf(file);
    if (place < 0) throw new NotOnTape(file);
    const index = this.#played.firstIndex + place;
    if (this.#errors.has(index)) throw this.#errors.get(index);
    return this.#bytes.toString('utf8', index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
  }

  exists(file: string): boolean {
    return this.#played?.files.includes(file) || this.#files.exists(file);
  }

  readSettled(file: string): string {
    return this.#files.readSettled(file);
  }

  list(folder: string): readonly string[] {
    return this.#files.list(folder);
  }

  #copy(file: string, start: number): number {
    for (;;) {
      const end = this.#files.readInto(file, this.#bytes, start);
      if (end !== undefined) return end;
      this.#bytes = Buffer.concat([this.#bytes, Buffer.allocUnsafe(this.#bytes.length)]);
    }
  }
}
