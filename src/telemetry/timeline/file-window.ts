import type { FileHandle } from 'node:fs/promises';
import { notRead } from './timeline-problems.ts';

const WINDOW_BYTES = 256 * 1024;

/** Reads a file in pieces that serve many small frames each. */
export class FileWindow {
  readonly #file: string;
  readonly #handle: FileHandle;
  #bytes: Uint8Array = new Uint8Array();
  #offset = 0;
  #size: number | undefined;

  constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  /** A view, good until the next call; shorter than `length` at the end of the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const start = offset - this.#offset;
    if (start < 0 || start + length > this.#bytes.length) {
      this.#bytes = await this.#load(offset, Math.max(length, WINDOW_BYTES));
      this.#offset = offset;
      return this.#bytes.subarray(0, length);
    }
    return this.#bytes.subarray(start, start + length);
  }

  /** When it was first asked for: a file that grows meanwhile is read up to there. */
  async size(): Promise<number> {
    this.#size ??= (await this.#handle.stat()).size;
    return this.#size;
  }

  async isZeroFrom(offset: number): Promise<boolean> {
    for (let at = offset; ; at += WINDOW_BYTES) {
      const bytes = await this.read(at, WINDOW_BYTES);
      if (bytes.some((byte) => byte !== 0)) return false;
      if (bytes.length < WINDOW_BYTES) return true;
    }
  }

  async #load(offset: number, length: number): Promise<Uint8Array> {
    try {
      const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafe(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw notRead(this.#file, error);
    }
  }
}
