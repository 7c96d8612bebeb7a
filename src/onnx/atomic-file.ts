import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ProblemError, problem } from '../core/problem.ts';
import { errorCode, openFile } from './byte-source.ts';
import type { Payload } from './messages.ts';
import type { ByteSink } from './wire-writer.ts';

export type WriteProblemKind =
  | 'folder-missing'
  | 'not-a-file'
  | 'not-writable'
  | 'disk-full'
  | 'write-failed';

/** A file that takes its name only when it is complete. `discard` is safe to call at any time. */
export interface AtomicFile extends ByteSink {
  readonly sizeBytes: number;
  /** Ends writing. The bytes are on the disk then, where they are to outlast a crash of the host. */
  finish(settings: { readonly durable: boolean }): void;
  /** Gives the file its name, replacing what had it. Call `syncFolder` afterwards. */
  publish(): void;
  discard(): void;
}

/** Large enough that the calls cost nothing beside the copying, small enough to stay in the cache. */
const COPY_BYTES = 1024 * 1024;

/**
 * Starts a file beside its final place, so that the rename stays within one file system.
 * Every method throws a `ProblemError` of `WriteProblemKind`; copying a payload also throws what reading it does.
 */
export function createAtomicFile(path: string): AtomicFile {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  let descriptor: number | undefined = guarded(path, () => openSync(temporary, 'wx'));
  let isPublished = false;
  let sizeBytes = 0;
  const chunk = Buffer.allocUnsafe(COPY_BYTES);

  const write = (bytes: Uint8Array): void => {
    const target = descriptor;
    if (target === undefined) throw new Error(`${path} is finished`);
    let done = 0;
    while (done < bytes.byteLength) {
      const size = Math.min(bytes.byteLength - done, MAX_WRITE_BYTES);
      done += guarded(path, () => writeSync(target, bytes, done, size));
    }
    sizeBytes += bytes.byteLength;
  };
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };

  return {
    get sizeBytes() {
      return sizeBytes;
    },
    write,
    writePayload: (payload) => {
      for (const part of payloadChunks(payload, chunk)) write(part);
    },
    finish: ({ durable }) => {
      const target = descriptor;
      if (target === undefined) return;
      if (durable) guarded(path, () => fsyncSync(target));
      close();
    },
    publish: () => {
      guarded(path, () => renameSync(temporary, path));
      isPublished = true;
    },
    discard: () => {
      close();
      if (!isPublished) rmSync(temporary, { force: true });
    },
  };
}

/** Makes the renames in a folder durable. Platforms that cannot sync a folder do so by themselves. */
export function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

/** One call of write(2) moves at most 2 GiB. */
const MAX_WRITE_BYTES = 2 ** 30;

function* payloadChunks(payload: Payload, buffer: Buffer): Generator<Uint8Array> {
  if (payload.kind === 'memory') {
    yield payload.bytes;
    return;
  }
  const open = openFile(payload.file.path, payload.file);
  try {
    for (let done = 0; done < payload.sizeBytes; done += buffer.byteLength) {
      const part = buffer.subarray(0, Math.min(buffer.byteLength, payload.sizeBytes - done));
      open.readInto(part, payload.offset + done);
      yield part;
    }
    open.verify();
  } finally {
    open.close();
  }
}

function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw writeProblem(path, code);
  }
}

function writeProblem(file: string, code: string): ProblemError<WriteProblemKind> {
  const place = { file };
  const named = (kind: WriteProblemKind, message: string, hint: string) =>
    new ProblemError(problem(kind, message, { place, hint }));
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return named('folder-missing', 'The folder to write to does not exist.', 'Create the folder.');
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return named('not-a-file', 'There is a folder of this name already.', 'Give the path of a file.');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return named(
        'not-writable',
        `No permission to write here (${code}).`,
        'Give the user that runs this process write permission on the folder, or write elsewhere.',
      );
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return named(
        'disk-full',
        `The disk has no room for the file (${code}).`,
        'Free space or write elsewhere; what was there before is unchanged.',
      );
    default:
      return named('write-failed', `The file cannot be written (${code}).`, 'Check the disk.');
  }
}
