import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ProblemError, problem } from '../core/problem.ts';

const LINES_A_WRITE = 1000;

/**
 * Writes values as JSON, one a line, by way of a temporary file beside the file, whose folder is made where it is missing.
 * Throws a `ProblemError`: `output-not-writable`.
 */
export async function writeJsonLines(path: string, values: Iterable<unknown>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      let lines: string[] = [];
      for (const value of values) {
        lines.push(`${JSON.stringify(value)}\n`);
        if (lines.length < LINES_A_WRITE) continue;
        await file.write(lines.join(''));
        lines = [];
      }
      await file.write(lines.join(''));
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError(
      problem('output-not-writable', `the file cannot be written (${code})`, {
        place: { file: path },
        hint: 'choose another folder, or make room on the disk',
      }),
    );
  }
}
