import type { Snapshot } from '../telemetry/snapshot.ts';
import { readTimeline } from '../telemetry/timeline/read-timeline.ts';
import { type PhaseSummary, summarizePhases } from '../telemetry/timeline.ts';
import { unwrap } from './unwrap.ts';

/** Sum up the timeline of a run. An hour of snapshots is tens of megabytes, too much for the daemon's event loop. */
export interface TimelineTask {
  readonly kind: 'timeline';
  readonly file: string;
}

/** What the host did during a run. */
export interface RunTimeline {
  readonly file: string;
  readonly snapshots: number;
  readonly droppedSnapshots: number;
  readonly phases: readonly PhaseSummary[];
}

/** Runs in a worker process. Throws `ProblemError` where the file cannot be read or is no timeline. */
export async function summarizeTimeline({ file }: TimelineTask): Promise<RunTimeline> {
  const snapshots: Snapshot[] = [];
  const { phases, droppedSnapshots } = unwrap(
    await readTimeline(file, {}, (snapshot) => void snapshots.push(snapshot)),
  );
  return { file, snapshots: snapshots.length, droppedSnapshots, phases: summarizePhases(snapshots, phases) };
}
