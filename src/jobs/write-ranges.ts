import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ProblemError, problem } from '../core/problem.ts';
import { formatRanges, type SavedRanges } from './saved-ranges.ts';

/**
 * Writes saved ranges so that the file is there whole or not at all; makes its folder where that is missing. Throws
 * `ProblemError` `ranges-not-written`.
 */
export async function writeRanges(file: string, ranges: SavedRanges): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(formatRanges(ranges));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError(
      problem('ranges-not-written', `the ranges cannot be written (${code})`, {
        place: { file },
        hint: 'choose another file, or correct the rights of the folder',
      }),
    );
  }
}
