import { attemptAsync, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { seriesCsv, type WriteText, writeSnapshotCsv } from '../telemetry/timeline/csv.ts';
import { readSeries } from '../telemetry/timeline/read-series.ts';
import { readTimelineIndex } from '../telemetry/timeline/read-timeline.ts';
import { type PartOfTimeline, rangeOf, startOf, toNs } from './series-task.ts';
import { unwrap } from './unwrap.ts';

export interface CsvQuery extends PartOfTimeline {
  readonly columns?: readonly string[];
  /** Points of this length instead of snapshots. */
  readonly stepSeconds?: number;
  /** Counters as growth per second; with points only. */
  readonly rates: boolean;
}

/** Writes a timeline as CSV, a line for each snapshot or point. Problems: those of reading it. */
export function writeTimelineCsv(
  file: string,
  { stepSeconds, columns, rates, ...part }: CsvQuery,
  write: WriteText,
): Promise<Result<void, Problem>> {
  return attemptAsync(async () => {
    const index = unwrap(await readTimelineIndex(file));
    const range = rangeOf(index, part);
    const chosen = columns === undefined ? {} : { columns };
    if (stepSeconds === undefined) unwrap(await writeSnapshotCsv(file, { range, ...chosen }, write));
    else {
      const series = unwrap(
        await readSeries(file, { ...range, ...chosen, points: 1, stepNs: toNs(stepSeconds), rates }),
      );
      await write(seriesCsv(series, startOf(index)));
    }
  });
}
