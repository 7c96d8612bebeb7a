import { lstat, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { errorCode, folderProblem, type TraceProblemKind } from './folder-problems.ts';
import { hostFileName, MARK_FILE, markText, RUN_TREES, runName, TEMPORARY_PREFIX } from './run-layout.ts';
import type { Trace } from './trace.ts';
import { writePerfettoFile, writeXSpaceFile } from './write-trace.ts';

/** A trace in its place. */
export interface PublishedTrace {
  /** What viewers call it, such as `2026_11_26_19_44_54`. */
  readonly run: string;
  readonly xspaceFile: string;
  readonly xspaceBytes: number;
  readonly perfettoFile: string;
  readonly perfettoBytes: number;
}

export interface PublishSettings {
  readonly logdir: string;
  readonly startedAt: Date;
  /** Texts by the names of their files, for the folder of Perfetto's file: in the other one a viewer looks at everything. */
  readonly beside?: Readonly<Record<string, string>>;
}

/**
 * Writes a trace to `LOGDIR/plugins/profile/RUN/HOST.xplane.pb` and `LOGDIR/perfetto/RUN/HOST.json.gz`. Both folders appear
 * with everything in them, after it is on the disk, and are never changed again: viewers keep what they computed beside a
 * trace. Runs that are published at once take different names. What a crash leaves is a folder that no viewer sees.
 */
export async function publishTrace(
  trace: Trace,
  { logdir, startedAt, beside = {} }: PublishSettings,
): Promise<Result<PublishedTrace, Problem<TraceProblemKind>>> {
  let temporary: string | undefined;
  try {
    for (const tree of Object.values(RUN_TREES)) await mkdir(join(logdir, tree), { recursive: true });
    temporary = await mkdtemp(join(logdir, TEMPORARY_PREFIX));
    const made = { xspace: join(temporary, 'xspace'), perfetto: join(temporary, 'perfetto') };
    for (const folder of Object.values(made)) {
      await mkdir(folder);
      await writeFile(join(folder, MARK_FILE), markText(startedAt.getTime()), { flush: true });
    }
    const host = hostFileName(trace.hostname);
    const names = { xspace: `${host}.xplane.pb`, perfetto: `${host}.json.gz` };
    for (const [name, text] of Object.entries(beside)) {
      await writeFile(join(made.perfetto, name), text, { flush: true });
    }
    const [xspaceBytes, perfettoBytes] = await allDone([
      writeXSpaceFile(trace, join(made.xspace, names.xspace)),
      writePerfettoFile(trace, join(made.perfetto, names.perfetto)),
    ]);
    for (const folder of Object.values(made)) await syncFolder(folder);
    const run = await takeName(made, logdir, startedAt);
    return ok({
      run,
      xspaceFile: join(logdir, RUN_TREES.xspace, run, names.xspace),
      xspaceBytes,
      perfettoFile: join(logdir, RUN_TREES.perfetto, run, names.perfetto),
      perfettoBytes,
    });
  } catch (error) {
    return err(folderProblem(error, logdir));
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

/** One is encoded while the other is compressed by another thread. Where one fails, the other has ended too before this throws. */
async function allDone(writing: readonly [Promise<number>, Promise<number>]): Promise<[number, number]> {
  await Promise.allSettled(writing);
  return await Promise.all(writing);
}

interface RunFolders {
  readonly xspace: string;
  readonly perfetto: string;
}

/** Moves both folders to the first name of their second that nobody has, and returns it. */
async function takeName(made: RunFolders, logdir: string, startedAt: Date): Promise<string> {
  for (let again = 0; ; again++) {
    const run = runName(startedAt, again);
    const target = {
      xspace: join(logdir, RUN_TREES.xspace, run),
      perfetto: join(logdir, RUN_TREES.perfetto, run),
    };
    // Of two of ours that try the same name, one fails here already and leaves nothing behind.
    if (!(await moveToFreeName(made.perfetto, target.perfetto))) continue;
    if (await moveToFreeName(made.xspace, target.xspace)) {
      for (const tree of Object.values(RUN_TREES)) await syncFolder(join(logdir, tree));
      return run;
    }
    await rename(target.perfetto, made.perfetto);
  }
}

/** False where something has the name. An empty folder that appears between the two steps is replaced, and nothing is lost with it. */
async function moveToFreeName(folder: string, target: string): Promise<boolean> {
  try {
    await lstat(target);
    return false;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  try {
    await rename(folder, target);
    return true;
  } catch (error) {
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

/** A rename is on the disk once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
