import type { FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { type Problem, ProblemError, type ProblemPlace, problem } from '../core/problem.ts';

export type ZipProblem = Problem<'npz-unreadable' | 'npz-invalid'>;

/**
 * The decompressed bytes of one zip entry. `read` fills `target` from `position` on and rejects with a `ProblemError`
 * of a `ZipProblem`. One `read` at a time.
 */
export interface ZipEntryBytes {
  read(target: Uint8Array, position: number): Promise<void>;
  close(): void;
}

export interface ZipEntryLocation {
  readonly dataStart: number;
  readonly compressedSizeBytes: number;
  readonly sizeBytes: number;
  readonly place: ProblemPlace;
}

const CHUNK_BYTES = 256 * 1024;

/** An entry without compression: any position costs one positioned read. */
export function storedEntry(file: FileHandle, location: ZipEntryLocation): ZipEntryBytes {
  return {
    read: (target, position) => readFully(file, target, location.dataStart + position, location.place),
    close: () => {},
  };
}

/**
 * A deflated entry: reading forward continues one stream, reading back starts it again from the beginning.
 * Memory is a few chunks, however large the entry is and whatever it really decompresses to.
 */
export class DeflatedEntry implements ZipEntryBytes {
  readonly #file: FileHandle;
  readonly #location: ZipEntryLocation;
  #chunks: AsyncIterator<Buffer> | undefined;
  #chunk: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(file: FileHandle, location: ZipEntryLocation) {
    this.#file = file;
    this.#location = location;
  }

  async read(target: Uint8Array, position: number): Promise<void> {
    if (this.#chunks === undefined || position < this.#position) this.#restart();
    await this.#consume(position - this.#position, undefined);
    await this.#consume(target.length, target);
    if (this.#position === this.#location.sizeBytes) await this.#expectEnd();
  }

  close(): void {
    const chunks = this.#chunks;
    this.#chunks = undefined;
    // Ending the iterator destroys the streams. Its own failure would say nothing new about a file being closed.
    chunks?.return?.().catch(() => {});
  }

  #restart(): void {
    this.close();
    this.#chunk = Buffer.alloc(0);
    this.#position = 0;
    this.#chunks = inflate(this.#file, this.#location);
  }

  /** Takes `count` bytes off the stream, into `target` when there is one. */
  async #consume(count: number, target: Uint8Array | undefined): Promise<void> {
    let taken = 0;
    while (taken < count) {
      if (this.#chunk.length === 0) this.#chunk = await this.#nextChunk();
      const part = this.#chunk.subarray(0, count - taken);
      target?.set(part, taken);
      this.#chunk = this.#chunk.subarray(part.length);
      taken += part.length;
      this.#position += part.length;
    }
  }

  async #nextChunk(): Promise<Buffer> {
    const next = await this.#next();
    if (next.done === true) {
      throw damaged(
        `it decompresses to less than the ${this.#location.sizeBytes} bytes it claims`,
        this.#location,
      );
    }
    return next.value;
  }

  async #expectEnd(): Promise<void> {
    if (this.#chunk.length > 0 || (await this.#next()).done !== true) {
      throw damaged(
        `it decompresses to more than the ${this.#location.sizeBytes} bytes it claims`,
        this.#location,
      );
    }
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    if (this.#chunks === undefined) throw new Error('a closed zip entry was read');
    try {
      return await this.#chunks.next();
    } catch (error) {
      // After a failure the stream is gone; the next read has to begin with a new one.
      this.#chunks = undefined;
      if (error instanceof ProblemError || !isZlibError(error)) throw error;
      throw damaged(`it cannot be decompressed (${error.message})`, this.#location);
    }
  }
}

/** Fills `target` from the file, or rejects with a `ProblemError` when the file ends first. */
async function readFully(
  file: FileHandle,
  target: Uint8Array,
  position: number,
  place: ProblemPlace,
): Promise<void> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await readOnce(file, target.subarray(filled), position + filled, place);
    if (bytesRead === 0) {
      throw new ProblemError(
        problem('npz-invalid', 'the file ends in the middle of an array', { place, hint: REWRITE_HINT }),
      );
    }
    filled += bytesRead;
  }
}

async function readOnce(file: FileHandle, target: Uint8Array, position: number, place: ProblemPlace) {
  try {
    return await file.read(target, 0, target.length, position);
  } catch (error) {
    throw new ProblemError(
      problem('npz-unreadable', `reading failed: ${(error as Error).message}`, { place }),
    );
  }
}

function inflate(file: FileHandle, location: ZipEntryLocation): AsyncIterator<Buffer> {
  const source = Readable.from(readChunks(file, location), { objectMode: false });
  const decompressor = createInflateRaw({ chunkSize: CHUNK_BYTES });
  // The error reaches the reader through the iterator of `decompressor`; the callback only marks it as handled.
  pipeline(source, decompressor, () => {});
  return decompressor[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
}

async function* readChunks(file: FileHandle, location: ZipEntryLocation): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < location.compressedSizeBytes; offset += CHUNK_BYTES) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, location.compressedSizeBytes - offset));
    await readFully(file, chunk, location.dataStart + offset, location.place);
    yield chunk;
  }
}

function damaged(what: string, location: ZipEntryLocation): ProblemError {
  return new ProblemError(
    problem('npz-invalid', `the array is damaged: ${what}`, { place: location.place, hint: REWRITE_HINT }),
  );
}

const REWRITE_HINT = 'copy or write the file again';

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
