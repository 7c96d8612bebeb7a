import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ProblemError, problem } from '../../core/problem.ts';
import { formatBytes } from '../../core/units.ts';
import { openRegularFile, systemReason } from '../regular-file.ts';

/** Bytes that can be read at any position. */
export interface ByteSource {
  readonly path: string;
  readonly sizeBytes: number;
  /** Fills `into` with the bytes from `position` on. Throws a `ProblemError` where the file has become shorter. */
  read(into: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

// Compressed bytes cannot be read at any position, so they are unpacked into memory, which must have a bound.
const MAX_INFLATED_BYTES = 2 ** 30;

/** Opens a regular file. Throws a `ProblemError` of the kind `data-unreadable`. */
export async function openByteSource(path: string): Promise<ByteSource> {
  const { file, sizeBytes } = await openFile(path);
  return {
    path,
    sizeBytes,
    read: (into, position) => readFully(file, path, into, position),
    close: () => file.close(),
  };
}

/** Unpacks a gzip file into memory, up to `maxBytes` (1 GiB). Throws a `ProblemError`. */
export async function inflateByteSource(path: string, maxBytes = MAX_INFLATED_BYTES): Promise<ByteSource> {
  const bytes = await inflate(path, maxBytes);
  return {
    path,
    sizeBytes: bytes.length,
    read: async (into, position) => {
      into.set(bytes.subarray(position, position + into.length));
    },
    close: async () => {},
  };
}

/** The problem of a file or folder that the system does not let us read; anything else is a bug and goes on up. */
export function unreadable(error: unknown, path: string): ProblemError<'data-unreadable'> {
  if (error instanceof ProblemError) throw error;
  return cannotBeRead(systemReason(error), path);
}

function cannotBeRead(reason: string, path: string): ProblemError<'data-unreadable'> {
  return new ProblemError(
    problem('data-unreadable', `the data cannot be read: ${reason}`, {
      place: { file: path },
      hint: 'check the path and its permissions',
    }),
  );
}

async function openFile(path: string): Promise<{ readonly file: FileHandle; readonly sizeBytes: number }> {
  const opened = await openRegularFile(path);
  if ('file' in opened) return opened;
  if (opened.refusal === 'system') throw cannotBeRead(opened.reason, path);
  throw new ProblemError(
    problem('data-unreadable', 'the data is not a regular file', {
      place: { file: path },
      hint: 'name a file of this format',
    }),
  );
}

async function readFully(file: FileHandle, path: string, into: Uint8Array, position: number): Promise<void> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) {
      throw new ProblemError(
        problem('data-unreadable', `the file ends at byte ${position + filled}, before the end of the item`, {
          place: { file: path },
          hint: 'leave the file unchanged while it is in use',
        }),
      );
    }
    filled += bytesRead;
  }
}

async function inflate(path: string, maxBytes: number): Promise<Uint8Array> {
  const { file } = await openFile(path);
  await file.close();
  const blocks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    await pipeline(createReadStream(path), createGunzip(), async (inflated: AsyncIterable<Uint8Array>) => {
      for await (const block of inflated) {
        blocks.push(block);
        sizeBytes += block.length;
        if (sizeBytes > maxBytes) break;
      }
    });
  } catch (error) {
    // Leaving the loop early aborts the pipeline, which is then no fault of the file.
    if (sizeBytes <= maxBytes) throw explainInflation(error, path);
  }
  if (sizeBytes > maxBytes) throw tooLarge(path, maxBytes);
  return Buffer.concat(blocks, sizeBytes);
}

function explainInflation(error: unknown, path: string): ProblemError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code?.startsWith('Z_')) return unreadable(error, path);
  return new ProblemError(
    problem('data-invalid', `the gzip file is damaged or cut short: ${message}`, {
      place: { file: path },
      hint: 'copy or download the file again',
    }),
  );
}

function tooLarge(path: string, maxBytes: number): ProblemError {
  return new ProblemError(
    problem('data-invalid', `unpacked, the file is larger than ${formatBytes(maxBytes)}`, {
      place: { file: path },
      hint: 'unpack it with gunzip: an unpacked file is read item by item',
    }),
  );
}
