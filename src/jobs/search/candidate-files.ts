import { constants, copyFile, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { publish } from '../run-quantization.ts';
import { withScratchFolder } from '../scratch-folder.ts';

/** The files of the candidates that are in the running, a folder each, all under the name that the best one gets. */
export interface CandidateFiles {
  pathOf(key: string): string;
  /** Whether the model of a candidate is there; it takes its name only when it is whole. */
  has(key: string): Promise<boolean>;
  /** Makes the folder of a candidate. */
  prepare(key: string): Promise<string>;
  remove(key: string): Promise<void>;
  /** Copies the model of a candidate to the output, which is whole at any time. Throws `ProblemError` `output-not-writable`. */
  publish(key: string): Promise<void>;
}

/** Enough of a digest for a few dozen names. */
const NAME_LENGTH = 16;

export function candidateFiles(folder: string, outputPath: string): CandidateFiles {
  const name = basename(outputPath);
  const folderOf = (key: string) => join(folder, key.slice(0, NAME_LENGTH));
  const pathOf = (key: string) => join(folderOf(key), name);
  return {
    pathOf,
    has: async (key) => {
      const found = await stat(pathOf(key)).catch(() => undefined);
      return found?.isFile() === true;
    },
    prepare: async (key) => {
      // What a process that was killed has left of a candidate is of no use.
      await rm(folderOf(key), { recursive: true, force: true });
      await mkdir(folderOf(key), { recursive: true });
      return pathOf(key);
    },
    remove: (key) => rm(folderOf(key), { recursive: true, force: true }),
    publish: (key) =>
      withScratchFolder(outputPath, async (scratch) => {
        const made = dirname(pathOf(key));
        const files = (await readdir(made)).filter((file) => file === name || file.startsWith(`${name}.`));
        for (const file of files) {
          await copyFile(join(made, file), join(scratch, file), constants.COPYFILE_FICLONE);
          await sync(join(scratch, file));
        }
        await publish(join(scratch, name), outputPath);
        await sync(dirname(outputPath));
      }),
  };
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
