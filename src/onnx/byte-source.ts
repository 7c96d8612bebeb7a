import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Payload, SourceFile } from './messages.ts';

export type FileProblemKind = 'not-found' | 'not-a-file' | 'unreadable' | 'file-changed';

/** Random access to bytes that may lie in a file. `read` gives exactly `sizeBytes` bytes. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Set when the bytes lie in a file: large payloads then stay there. */
  readonly file: SourceFile | undefined;
  read(offset: number, sizeBytes: number): Uint8Array;
}

/** Ranges of memory are views of `bytes`, not copies. */
export function memorySource(bytes: Uint8Array): ByteSource {
  // A Buffer's `slice` gives a view where an array's gives a copy, so payloads are made views of the plain kind.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    sizeBytes: plain.byteLength,
    file: undefined,
    read: (offset, sizeBytes) => plain.subarray(offset, offset + sizeBytes),
  };
}

/** An open file. `verify` throws `file-changed` when it is no longer what `file` describes. */
export interface OpenFile {
  readonly file: SourceFile;
  read(offset: number, sizeBytes: number): Uint8Array;
  readInto(target: Uint8Array, offset: number): void;
  verify(): void;
  close(): void;
}

/**
 * Opens a regular file for reading. With `expected`, the file must still be the one that was described.
 * Throws a `ProblemError` of `FileProblemKind`.
 */
export function openFile(path: string, expected?: SourceFile): OpenFile {
  const descriptor = guarded(path, () => {
    // A FIFO would block the open, so the kind of file is looked at first.
    if (!statSync(path).isFile()) throw notAFile(path);
    return openSync(path, 'r');
  });
  try {
    const file = describe(path, fstatSync(descriptor));
    if (expected !== undefined && !isSameFile(file, expected)) throw changed(path);
    const readInto = (target: Uint8Array, offset: number): void => {
      readFully(descriptor, file, target, offset);
    };
    return {
      file,
      readInto,
      read: (offset, sizeBytes) => {
        const bytes = new Uint8Array(sizeBytes);
        readInto(bytes, offset);
        return bytes;
      },
      verify: () => {
        if (!isSameFile(describe(path, fstatSync(descriptor)), file)) throw changed(path);
      },
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Describes a regular file so that ranges of it can be read later. Throws a `ProblemError` of `FileProblemKind`. */
export function describeFile(path: string): SourceFile {
  const stats = guarded(path, () => statSync(path));
  if (!stats.isFile()) throw notAFile(path);
  return describe(path, stats);
}

export function payloadSizeBytes(payload: Payload): number {
  return payload.kind === 'memory' ? payload.bytes.byteLength : payload.sizeBytes;
}

/**
 * The bytes of a payload. Those in memory are given as they are, not copied; those in a file start a buffer of their
 * own, so that a typed array can be laid over it. Throws a `ProblemError` of `FileProblemKind`.
 */
export function payloadBytes(payload: Payload): Uint8Array {
  if (payload.kind === 'memory') return payload.bytes;
  const open = openFile(payload.file.path, payload.file);
  try {
    return open.read(payload.offset, payload.sizeBytes);
  } finally {
    open.close();
  }
}

/** One call of read(2) moves at most 2 GiB. */
const MAX_READ_BYTES = 2 ** 30;

function readFully(descriptor: number, file: SourceFile, target: Uint8Array, offset: number): void {
  let done = 0;
  while (done < target.byteLength) {
    const want = Math.min(target.byteLength - done, MAX_READ_BYTES);
    const got = guarded(file.path, () => readSync(descriptor, target, done, want, offset + done));
    if (got === 0) throw changed(file.path);
    done += got;
  }
}

function describe(path: string, stats: Stats): SourceFile {
  return { path, sizeBytes: stats.size, mtimeMs: stats.mtimeMs, inode: stats.ino };
}

function isSameFile(a: SourceFile, b: SourceFile): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.inode === b.inode;
}

function changed(path: string): ProblemError<FileProblemKind> {
  return new ProblemError(
    problem('file-changed', 'The file changed after the model was read from it.', {
      place: { file: path },
      hint: 'Read the model again, and let nothing write to the file meanwhile.',
    }),
  );
}

function notAFile(path: string): ProblemError<FileProblemKind> {
  return new ProblemError(
    problem('not-a-file', 'Expected a file but found a directory or a device.', {
      place: { file: path },
      hint: 'Give the path of the .onnx file itself.',
    }),
  );
}

/** Turns what the operating system refuses into a problem. Other errors are bugs and go on up. */
function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw readProblem(path, error) ?? error;
  }
}

function readProblem(path: string, error: unknown): ProblemError<FileProblemKind> | undefined {
  const code = errorCode(error);
  if (code === undefined) return undefined;
  const known: Partial<Record<string, Problem<FileProblemKind>>> = {
    ENOENT: problem('not-found', 'No such file.', { hint: 'Check the path and the working directory.' }),
    ENOTDIR: problem('not-found', 'No such file: a part of the path is not a folder.', {
      hint: 'Check the path.',
    }),
    EISDIR: notAFile(path).problem,
    EACCES: problem('unreadable', 'No permission to read the file.', {
      hint: 'Give the user that runs this process read permission.',
    }),
    ELOOP: problem('unreadable', 'The path is a loop of symbolic links.', { hint: 'Check the links.' }),
  };
  const base =
    known[code] ??
    problem<FileProblemKind>('unreadable', `The file cannot be read (${code}).`, {
      hint: 'Check the disk and the path.',
    });
  return new ProblemError({ ...base, place: { file: path } });
}

/** The `code` of a system error such as `ENOENT`; undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
