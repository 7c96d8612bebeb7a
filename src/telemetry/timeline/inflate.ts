import { inflateRawSync } from 'node:zlib';
import { MalformedBytesError } from './byte-reader.ts';

/** Far above what a block of some hundred snapshots holds, and far below what a hostile file could ask for. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Throws `MalformedBytesError` where the bytes are not deflated, or become more than any block holds. */
export function inflate(deflated: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(deflated, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new MalformedBytesError(`it cannot be inflated: ${error instanceof Error ? error.message : error}`);
  }
}
