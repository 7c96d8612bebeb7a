import { createHash } from 'node:crypto';
import { openByteSource } from './byte-source.ts';

const END_BYTES = 16 * 1024;

/**
 * SHA-256 in hex over the size of a file, its first 16 KiB and its last 16 KiB: the same for copies of a file. Throws a
 * `ProblemError` of the kind `data-unreadable`.
 */
export async function fileContentKey(path: string): Promise<string> {
  const source = await openByteSource(path);
  try {
    const { sizeBytes } = source;
    const headBytes = Math.min(sizeBytes, END_BYTES);
    const tailBytes = Math.min(sizeBytes - headBytes, END_BYTES);
    const ends = new Uint8Array(headBytes + tailBytes);
    await source.read(ends.subarray(0, headBytes), 0);
    await source.read(ends.subarray(headBytes), sizeBytes - tailBytes);
    return createHash('sha256').update(`${sizeBytes}\n`).update(ends).digest('hex');
  } finally {
    await source.close();
  }
}

/** SHA-256 of bytes in hex. */
export function bytesContentKey(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
