import type { ArrivalProcess } from '../benchmark/load/arrivals.ts';
import type { ArrivalTrace } from '../benchmark/traces/arrival-trace.ts';
import { readArrivalTrace } from '../benchmark/traces/read-arrival-trace.ts';
import { summarizeTrace, type TraceSummary } from '../benchmark/traces/summarize-trace.ts';
import { loopTrace, scaleToRate, speedTrace, windowTrace } from '../benchmark/traces/transform-trace.ts';
import type { MeasurementTrace } from '../config/measurement.ts';
import { attemptAsync, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { unwrap } from './unwrap.ts';

/** What is replayed, for reports. */
export interface ReplayedTrace extends TraceSummary {
  readonly file: string;
  readonly format: string;
  /** What was done to the trace after it was read, as phrases. */
  readonly changes: readonly string[];
  /** What a reader of the result should know, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Reads a trace, cuts its window, changes its speed or rate, and repeats it, in this order.
 * Errors: those of `readArrivalTrace`, and `trace-setting-invalid`.
 */
export function openTrace(
  trace: MeasurementTrace,
): Promise<
  Result<
    { readonly arrivals: Extract<ArrivalProcess, { kind: 'trace' }>; readonly report: ReplayedTrace },
    Problem
  >
> {
  return attemptAsync(async () => {
    const { file, format } = trace;
    const read = unwrap(await readArrivalTrace(file, format === undefined ? {} : { format }));
    const changed = transform(read, trace);
    const { dueNs, samples, source, changes } = changed;
    return {
      arrivals: { kind: 'trace', dueNs, ...(samples === undefined ? {} : { samples }) },
      report: {
        file: source.file,
        format: source.format,
        ...summarizeTrace(changed),
        changes,
        notes: source.notes,
      },
    };
  });
}

function transform(read: ArrivalTrace, trace: MeasurementTrace): ArrivalTrace {
  const { fromSeconds, toSeconds, speed, ratePerSecond, loop } = trace;
  let changed = read;
  if (fromSeconds !== undefined || toSeconds !== undefined) {
    const window = {
      ...(fromSeconds === undefined ? {} : { fromSeconds }),
      ...(toSeconds === undefined ? {} : { toSeconds }),
    };
    changed = unwrap(windowTrace(changed, window));
  }
  if (speed !== undefined) changed = unwrap(speedTrace(changed, speed));
  if (ratePerSecond !== undefined) changed = unwrap(scaleToRate(changed, ratePerSecond));
  if (loop !== undefined) changed = unwrap(loopTrace(changed, { times: loop }));
  return changed;
}
