import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { didYouMean } from '../config/did-you-mean.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeTime, isRunId } from '../store/run-id.ts';
import { readTimelineIndex } from '../telemetry/timeline/read-timeline.ts';
import { timelineFile } from './run-files.ts';
import { secondsSince } from './series-task.ts';

/** The word for the newest run. */
const LATEST = 'latest';

/** A run of a data directory that has a timeline. */
export interface KeptTimeline {
  readonly run: string;
  /** The name of the profile. */
  readonly model?: string;
  /** When the run was ordered, ISO 8601. */
  readonly orderedAt: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly snapshots: number;
  /** False while it is written, and where its writer died. */
  readonly complete: boolean;
}

/**
 * The file of a timeline: that of a run of the data directory by its id, the beginning of it, or `latest`; or a path. The folders of the
 * runs are looked at, not the store, which the daemon may have open. Problems: `unknown-run`, `ambiguous-run`.
 */
export async function findTimeline(dataDir: string, name: string): Promise<Result<string, Problem>> {
  if (await isFile(name)) return ok(name);
  const runs = await runsWithTimeline(dataDir);
  const found = name === LATEST ? runs.slice(-1) : runs.filter((run) => run.startsWith(name.toUpperCase()));
  const [run] = found;
  if (run !== undefined && found.length === 1) return ok(fileOf(dataDir, run));
  if (found.length > 1) {
    return err(
      problem('ambiguous-run', `${found.length} runs begin with '${name}'`, {
        hint: `write more of one of ${found.slice(-3).join(', ')}`,
      }),
    );
  }
  return err(unknownRun(dataDir, name, runs));
}

/** The runs of a data directory that have a timeline, newest first. One whose file cannot be read is left out. */
export async function listTimelines(dataDir: string): Promise<readonly KeptTimeline[]> {
  const listed: KeptTimeline[] = [];
  for (const run of (await runsWithTimeline(dataDir)).toReversed()) {
    const file = fileOf(dataDir, run);
    const index = await readTimelineIndex(file);
    if (!index.ok) continue;
    const { about, segments, snapshots, complete } = index.value;
    const [first, last] = [segments[0], segments.at(-1)];
    listed.push({
      run,
      ...(about.model === undefined ? {} : { model: about.model }),
      orderedAt: new Date(decodeTime(run)).toISOString(),
      file,
      sizeBytes: (await stat(file)).size,
      seconds: first === undefined || last === undefined ? 0 : secondsSince(first.startNs, last.endNs),
      snapshots,
      complete,
    });
  }
  return listed;
}

/** Oldest first, as ids sort by time. */
async function runsWithTimeline(dataDir: string): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = await readdir(join(dataDir, 'runs'));
  } catch {
    return [];
  }
  const withFile = await Promise.all(
    names.filter(isRunId).map(async (name) => ((await isFile(fileOf(dataDir, name))) ? [name] : [])),
  );
  return withFile.flat().sort();
}

function fileOf(dataDir: string, run: string): string {
  return timelineFile(join(dataDir, 'runs', run));
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function unknownRun(dataDir: string, name: string, runs: readonly string[]): Problem {
  const near = didYouMean(name, runs);
  if (near !== undefined) {
    return problem('unknown-run', `there is no run '${name}' with a timeline`, {
      hint: `did you mean ${near}?`,
    });
  }
  const hint =
    runs.length === 0
      ? `${dataDir} has no run with a timeline: name another with --data-dir, or make one with ptq-agent run`
      : `ptq-agent timeline lists the ${runs.length} of ${dataDir}; latest is ${basename(runs.at(-1) ?? '')}`;
  return problem('unknown-run', `there is no run '${name}' with a timeline, and no such file`, { hint });
}
