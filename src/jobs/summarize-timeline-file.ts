import { stat } from 'node:fs/promises';
import { attemptAsync, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { PhaseSummarizer, type PhaseSummary } from '../telemetry/summary/phase-summary.ts';
import { readTimeline, readTimelineIndex } from '../telemetry/timeline/read-timeline.ts';
import { type PartOfTimeline, rangeOf, secondsSince } from './series-task.ts';
import { unwrap } from './unwrap.ts';

/** A timeline in figures. */
export interface TimelineSummary {
  readonly run?: string;
  readonly model?: string;
  readonly file: string;
  readonly sizeBytes: number;
  /** From the first snapshot to the last. */
  readonly seconds: number;
  readonly snapshots: number;
  readonly droppedSnapshots: number;
  /** It was closed. Otherwise it is still being written, or its writer died. */
  readonly complete: boolean;
  /** Its last record was cut off. */
  readonly truncated: boolean;
  readonly phases: readonly PhaseSummary[];
}

/** Reads all of a timeline, or a part, and holds little of it at a time. */
export function summarizeTimelineFile(
  file: string,
  part: PartOfTimeline = {},
): Promise<Result<TimelineSummary, Problem>> {
  return attemptAsync(async () => {
    // Phases are told when they end, and so after their snapshots: they must be known before those are read.
    const index = unwrap(await readTimelineIndex(file));
    const summarizer = new PhaseSummarizer(index.phases);
    unwrap(await readTimeline(file, rangeOf(index, part), (snapshot) => summarizer.add(snapshot)));
    const { about, segments, snapshots, droppedSnapshots, complete, truncated } = index;
    const [first, last] = [segments[0], segments.at(-1)];
    return {
      ...about,
      file,
      sizeBytes: (await stat(file)).size,
      seconds: first === undefined || last === undefined ? 0 : secondsSince(first.startNs, last.endNs),
      snapshots,
      droppedSnapshots,
      complete,
      truncated,
      phases: summarizer.finish(),
    };
  });
}
