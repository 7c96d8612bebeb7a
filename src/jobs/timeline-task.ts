import type { PhaseSummary } from '../telemetry/summary/phase-summary.ts';
import { summarizeTimelineFile } from './summarize-timeline-file.ts';
import { unwrap } from './unwrap.ts';

/** Sum up the timeline of a run. An hour of snapshots is too much for the daemon's event loop. */
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
  const { snapshots, droppedSnapshots, phases } = unwrap(await summarizeTimelineFile(file));
  return { file, snapshots, droppedSnapshots, phases };
}
