import type { Dirent } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { errorCode, folderProblem, type TraceProblemKind } from './folder-problems.ts';
import { MARK_FILE, RUN_TREES, readMarkText, TEMPORARY_PREFIX } from './run-layout.ts';

export interface TraceLimits {
  /** How many runs stay at most. */
  readonly maxCount?: number;
  /** How many bytes they take at most, with what viewers keep beside them. */
  readonly maxBytes?: number;
  /** Runs that stay whatever the limits say, such as one that is being looked at or the one just made. */
  readonly inUse?: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** What a crash left is this old at least; writing a trace takes seconds. */
const ABANDONED_MS = 24 * 3600 * 1000;

/**
 * Removes the oldest of our runs below `logdir` until what stays is within the limits, and returns their names. Runs without
 * our mark are somebody else's: they are neither removed nor counted. A run disappears whole, not file by file.
 */
export async function pruneTraces(
  logdir: string,
  {
    maxCount = Number.POSITIVE_INFINITY,
    maxBytes = Number.POSITIVE_INFINITY,
    inUse = new Set(),
    nowMs,
  }: TraceLimits,
): Promise<Result<readonly string[], Problem<TraceProblemKind>>> {
  try {
    await removeAbandoned(logdir, nowMs);
    const runs = await findOwnRuns(logdir);
    let count = runs.length;
    let sizeBytes = runs.reduce((sum, run) => sum + run.sizeBytes, 0);
    const removed: string[] = [];
    for (const run of runs) {
      if (count <= maxCount && sizeBytes <= maxBytes) break;
      if (inUse.has(run.name)) continue;
      await removeFolders(logdir, run.folders);
      count -= 1;
      sizeBytes -= run.sizeBytes;
      removed.push(run.name);
    }
    return ok(removed);
  } catch (error) {
    return err(folderProblem(error, logdir));
  }
}

/** Removes one of our runs below `logdir`; where there is none of this name nothing happens. */
export async function removeTrace(
  logdir: string,
  name: string,
): Promise<Result<void, Problem<TraceProblemKind>>> {
  try {
    const run = (await findOwnRuns(logdir)).find((own) => own.name === name);
    if (run !== undefined) await removeFolders(logdir, run.folders);
    return ok(undefined);
  } catch (error) {
    return err(folderProblem(error, logdir));
  }
}

interface OwnRun {
  readonly name: string;
  readonly startedMs: number;
  readonly folders: readonly string[];
  readonly sizeBytes: number;
}

/** The oldest first. */
async function findOwnRuns(logdir: string): Promise<OwnRun[]> {
  const runs = new Map<string, OwnRun>();
  for (const tree of Object.values(RUN_TREES)) {
    for (const name of await foldersIn(join(logdir, tree))) {
      const folder = join(logdir, tree, name);
      const startedMs = await readMark(join(folder, MARK_FILE));
      if (startedMs === undefined) continue;
      const known = runs.get(name);
      runs.set(name, {
        name,
        startedMs,
        folders: [...(known?.folders ?? []), folder],
        sizeBytes: (known?.sizeBytes ?? 0) + (await folderBytes(folder)),
      });
    }
  }
  return [...runs.values()].sort(
    (a, b) => a.startedMs - b.startedMs || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
}

async function readMark(file: string): Promise<number | undefined> {
  try {
    return readMarkText(await readFile(file, 'utf8'));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Names of folders; links to folders are none. */
async function foldersIn(folder: string): Promise<string[]> {
  return (await entriesOf(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function folderBytes(folder: string): Promise<number> {
  let sizeBytes = 0;
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    sizeBytes += entry.isDirectory() ? await folderBytes(path) : await fileBytes(path);
  }
  return sizeBytes;
}

/** Viewers write beside a trace, and another process may prune too: what is not there any more is nothing. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return [];
  }
}

async function fileBytes(file: string): Promise<number> {
  try {
    return (await lstat(file)).size;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return 0;
  }
}

/** A folder is taken out of its tree first: emptying one in which a viewer looks would show a run that is broken. */
async function removeFolders(logdir: string, folders: readonly string[]): Promise<void> {
  const temporary = await mkdtemp(join(logdir, TEMPORARY_PREFIX));
  try {
    for (const [place, folder] of folders.entries()) {
      try {
        await rename(folder, join(temporary, String(place)));
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function removeAbandoned(logdir: string, nowMs: number): Promise<void> {
  for (const name of await foldersIn(logdir)) {
    if (!name.startsWith(TEMPORARY_PREFIX)) continue;
    const path = join(logdir, name);
    const ageMs = nowMs - (await lstat(path)).mtimeMs;
    if (ageMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}
