import { type ArrivalTrace, meanRate, traceDurationNs } from './arrival-trace.ts';

/** How the arrivals of a trace are spread, for reports. */
export interface TraceSummary {
  readonly count: number;
  /** From the first arrival to the last. */
  readonly durationSeconds: number;
  /** Queries a second; null where all arrive at one time. */
  readonly meanRate: number | null;
  /** The most arrivals in any second, [t, t + 1 s). */
  readonly peakRate: number;
  /**
   * Standard deviation of the gaps over their mean: 0 for a constant rate, about 1 for a Poisson process, more for
   * bursts. Null below two gaps, and where all queries arrive at one time.
   */
  readonly gapCv: number | null;
}

const WINDOW_NS = 1e9;

/** Computes the summary in one pass over the arrivals. */
export function summarizeTrace(trace: Pick<ArrivalTrace, 'dueNs'>): TraceSummary {
  const { dueNs } = trace;
  return {
    count: dueNs.length,
    durationSeconds: traceDurationNs(trace) / 1e9,
    meanRate: meanRate(trace),
    peakRate: peakCount(dueNs),
    gapCv: gapCv(dueNs),
  };
}

/** The fullest window begins at an arrival, so it is enough to look at those. */
function peakCount(dueNs: Float64Array): number {
  let most = 0;
  let end = 0;
  for (let start = 0; start < dueNs.length; start += 1) {
    while (end < dueNs.length && (dueNs[end] as number) < (dueNs[start] as number) + WINDOW_NS) end += 1;
    most = Math.max(most, end - start);
  }
  return most;
}

function gapCv(dueNs: Float64Array): number | null {
  const gaps = dueNs.length - 1;
  const meanNs = traceDurationNs({ dueNs }) / gaps;
  if (gaps < 2 || meanNs === 0) return null;
  let squares = 0;
  for (let i = 0; i < gaps; i += 1) {
    const deviation = (dueNs[i + 1] as number) - (dueNs[i] as number) - meanNs;
    squares += deviation * deviation;
  }
  return Math.sqrt(squares / (gaps - 1)) / meanNs;
}
