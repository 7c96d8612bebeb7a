import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { didYouMean } from '../config/did-you-mean.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isRunId } from '../store/run-id.ts';

/** The word for the newest run. */
const LATEST = 'latest';

/** What a run must have to be found. */
export interface KeptFile {
  /** Where a run has it. */
  readonly fileOf: (runFolder: string) => string;
  /** Such as `a timeline`. */
  readonly what: string;
  /** How one comes about, such as `make one with ptq-agent run`. */
  readonly howToMake: string;
  /** The command that lists runs, and what it says of them; absent where there is none. */
  readonly listedBy?: string;
}

/**
 * The file of a run of the data directory by its id, the beginning of it, or `latest`. The folders of the runs are looked at, not the
 * store, which the daemon may have open. Problems: `unknown-run`, `ambiguous-run`.
 */
export async function findRunFile(
  dataDir: string,
  name: string,
  kept: KeptFile,
): Promise<Result<string, Problem>> {
  const runs = await runsWith(dataDir, kept);
  const found = name === LATEST ? runs.slice(-1) : runs.filter((run) => run.startsWith(name.toUpperCase()));
  const [run] = found;
  if (run !== undefined && found.length === 1) return ok(kept.fileOf(join(dataDir, 'runs', run)));
  if (found.length > 1) {
    return err(
      problem('ambiguous-run', `${found.length} runs begin with '${name}'`, {
        hint: `write more of one of ${found.slice(-3).join(', ')}`,
      }),
    );
  }
  return err(unknownRun(dataDir, name, runs, kept));
}

/** Runs of a data directory that have the file, oldest first, as ids sort by time. */
export async function runsWith(
  dataDir: string,
  { fileOf }: Pick<KeptFile, 'fileOf'>,
): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = await readdir(join(dataDir, 'runs'));
  } catch {
    return [];
  }
  const withFile = await Promise.all(
    names
      .filter(isRunId)
      .map(async (name) => ((await isFile(fileOf(join(dataDir, 'runs', name)))) ? [name] : [])),
  );
  return withFile.flat().sort();
}

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function unknownRun(
  dataDir: string,
  name: string,
  runs: readonly string[],
  { what, howToMake, listedBy }: KeptFile,
): Problem {
  const near = didYouMean(name, runs);
  if (near !== undefined) {
    return problem('unknown-run', `there is no run '${name}' with ${what}`, {
      hint: `did you mean ${near}?`,
    });
  }
  const latest = `latest is ${basename(runs.at(-1) ?? '')}`;
  const hint =
    runs.length === 0
      ? `${dataDir} has no run with ${what}: name another with --data-dir, or ${howToMake}`
      : listedBy === undefined
        ? latest
        : `${listedBy} lists the ${runs.length} of ${dataDir}; ${latest}`;
  return problem('unknown-run', `there is no run '${name}' with ${what}, and no such file`, { hint });
}
