import { execFileSync } from 'node:child_process';
import { copyFileSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../temporary-folder.ts';

const SOURCE = fileURLToPath(new URL('fake-nvml.c', import.meta.url));

/** Why the fake library cannot be built here; undefined where it can. For `describe.skipIf` and the name of the test. */
export const NO_COMPILER: string | undefined = findCompiler();

function findCompiler(): string | undefined {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no gcc is installed';
  }
}

export interface FakeNvml {
  readonly library: string;
  /** What it answers from now on: see `fake-nvml.c`. */
  answer(state: string): void;
}

/**
 * Compiles the fake library into a folder. `isOld`: without the functions that came with newer drivers; `readsOnce`: it never
 * looks for another state, which would cost more than its answers.
 */
export function compileFakeNvml(folder: string, { isOld = false, readsOnce = false } = {}): string {
  const library = join(folder, isOld ? 'libold.so' : 'libnew.so');
  const flags = [
    '-O1',
    '-shared',
    '-fPIC',
    ...(isOld ? ['-DOLD_DRIVER'] : []),
    ...(readsOnce ? ['-DREAD_ONCE'] : []),
  ];
  execFileSync('gcc', [...flags, '-o', library, SOURCE]);
  return library;
}

/** A copy of its own, because a loader gives one library to all that ask for the same file. */
export function installFakeNvml(compiled: string, state: string): FakeNvml {
  const library = join(temporaryFolder(), 'libnvidia-ml.so.1');
  copyFileSync(compiled, library);
  let files = 0;
  const answer = (text: string) => {
    files += 1;
    // The last file stays beside it, so that the new one has an inode of its own, by which the library notices it.
    writeFileSync(`${library}.${files}`, text);
    rmSync(`${library}.${files - 2}`, { force: true });
    linkSync(`${library}.${files}`, `${library}.next`);
    renameSync(`${library}.next`, `${library}.state`);
  };
  answer(state);
  return { library, answer };
}
