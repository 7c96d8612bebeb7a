import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { attemptAsync, type Problem, ProblemError, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';

/** A file that will be written once there is something to write, and that is known to be writable. */
export interface PreparedFile {
  readonly path: string;
  /** Writes all of it and gives it its name. Error: `output-not-writable`. */
  write(pieces: Iterable<string>): Promise<Result<void, Problem>>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

const PIECE_BYTES = 1 << 20;

/**
 * Opens a temporary file beside the one that is wanted, so that a path that cannot
 * be written is known before work is done for it, and no half-written file ever has the name. What is there and is no file of
 * a disk (a pipe, `/dev/stdout`) is written to directly. Error: `output-not-writable`.
 */
export function prepareFile(path: string): Promise<Result<PreparedFile, Problem>> {
  return attemptAsync(async () => {
    const target = await targetOf(path);
    const file = await orProblem(path, () => open(target.written, 'w'));
    let isOpen = true;
    const close = async () => {
      if (isOpen) await file.close();
      isOpen = false;
    };
    const discard = async () => {
      await close().catch(() => {});
      if (target.isTemporary) await rm(target.written, { force: true }).catch(() => {});
    };
    return {
      path,
      discard,
      write: (pieces) =>
        attemptAsync(async () => {
          try {
            await orProblem(path, async () => {
              await writeAll(file, pieces);
              await close();
              if (target.isTemporary) await rename(target.written, path);
            });
          } catch (error) {
            await discard();
            throw error;
          }
        }),
    };
  });
}

async function targetOf(path: string) {
  const kind = await stat(path).catch(() => undefined);
  if (kind?.isDirectory() === true) throw notWritable(path, 'EISDIR');
  if (kind !== undefined && !kind.isFile()) return { written: path, isTemporary: false };
  // A name of its own, short whatever the length of the file's.
  const id = createHash('sha256').update(basename(path)).digest('hex').slice(0, 8);
  return { written: join(dirname(path), `.${id}.${process.pid}.tmp`), isTemporary: true };
}

/** Small pieces go out together: a system call a line would take longer than the lines. */
async function writeAll(file: FileHandle, pieces: Iterable<string>): Promise<void> {
  let waiting: string[] = [];
  let length = 0;
  const flush = async () => {
    // `writeFile` goes on where the kernel took only a part, which `write` does not.
    await file.writeFile(waiting.join(''));
    waiting = [];
    length = 0;
  };
  for (const piece of pieces) {
    waiting.push(piece);
    length += piece.length;
    if (length >= PIECE_BYTES) await flush();
  }
  await flush();
}

async function orProblem<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof ProblemError) throw error;
    throw notWritable(path, code);
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  EISDIR: 'name a file, not a folder',
  ENOENT: 'make the folder first, or choose another',
  ENOSPC: 'make room on the disk',
};

function notWritable(path: string, code: string): ProblemError {
  return new ProblemError(
    problem('output-not-writable', `the file cannot be written (${code})`, {
      place: { file: path },
      hint: ADVICE[code] ?? 'choose another folder, or make room on the disk',
    }),
  );
}
