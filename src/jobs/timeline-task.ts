import { PhaseSummarizer, type PhaseSummary } from '../telemetry/summary/phase-summary.ts';
import { readTimeline, readTimelineIndex } from '../telemetry/timeline/read-timeline.ts';
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
  // Phases are told when they end, and so after their snapshots: they must be known before those are read.
  const { phases } = unwrap(await readTimelineIndex(file));
  const summarizer = new PhaseSummarizer(phases);
  const { snapshots, droppedSnapshots } = unwrap(
    await readTimeline(file, {}, (snapshot) => summarizer.add(snapshot)),
  );
  return { file, snapshots, droppedSnapshots, phases: summarizer.finish() };
}
