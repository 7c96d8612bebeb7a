import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { decodeTime } from '../store/run-id.ts';
import { readTimelineIndex } from '../telemetry/timeline/read-timeline.ts';
import { findRunFile, isFile, type KeptFile, runsWith } from './find-run.ts';
import { timelineFile } from './run-files.ts';
import { secondsSince } from './series-task.ts';

const TIMELINE: KeptFile = {
  fileOf: timelineFile,
  what: 'a timeline',
  howToMake: 'make one with ptq-agent run',
  listedBy: 'ptq-agent timeline',
};

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
  return (await isFile(name)) ? ok(name) : findRunFile(dataDir, name, TIMELINE);
}

/** The runs of a data directory that have a timeline, newest first. One whose file cannot be read is left out. */
export async function listTimelines(dataDir: string): Promise<readonly KeptTimeline[]> {
  const listed: KeptTimeline[] = [];
  for (const run of (await runsWith(dataDir, TIMELINE)).toReversed()) {
    const file = timelineFile(join(dataDir, 'runs', run));
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
