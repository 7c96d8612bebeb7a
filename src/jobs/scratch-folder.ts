import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ProblemError, problem } from '../core/problem.ts';

/**
 * Gives `use` an empty folder beside `outputPath`, on the same file system, so that what is finished there can be
 * renamed into place. The folder is gone afterwards, whatever happened.
 * Throws `ProblemError` `output-not-writable`.
 */
export async function withScratchFolder<T>(
  outputPath: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const parent = dirname(outputPath);
  let folder: string;
  try {
    await mkdir(parent, { recursive: true });
    folder = await mkdtemp(join(parent, '.ptq-agent-'));
  } catch (error) {
    const { code: reason } = error as NodeJS.ErrnoException;
    if (reason === undefined) throw error;
    throw new ProblemError(
      problem('output-not-writable', `cannot write into ${parent}: ${reason}`, {
        place: { file: outputPath },
        hint: 'choose another output, or correct the rights of the folder',
      }),
    );
  }
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
