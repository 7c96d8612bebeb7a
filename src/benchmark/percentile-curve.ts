import { sortedCopy } from './latency-statistics.ts';
import type { RoundResult } from './round-result.ts';

/** A percentile, 0 to below 100, and the latency there. */
export interface CurvePoint {
  readonly percentile: number;
  readonly seconds: number;
}

/** What a round's latencies were, where it had enough of them to tell. */
export interface RoundPercentiles {
  readonly round: number;
  readonly percentiles: readonly CurvePoint[];
}

/** Those that models are compared at. */
const COMPARED = [50, 75, 90, 95, 99, 99.9];

const STEPS_PER_HALVING = 4;

/**
 * The distribution of latencies for a plot whose axis is the share that is slower, halved again and again, as HdrHistogram's
 * percentile plots have it: points as dense at 99.9 as at 90. Ends where less than one latency is expected beyond.
 * @param sortedNs ascending
 */
export function percentileCurve(sortedNs: Float64Array): readonly CurvePoint[] {
  const points: CurvePoint[] = [];
  for (let step = 0; ; step++) {
    const percentile = 100 * (1 - 2 ** (-step / STEPS_PER_HALVING));
    const seconds = secondsAt(sortedNs, percentile);
    if (seconds === undefined) return points;
    points.push({ percentile, seconds });
  }
}

/** The percentiles that models are compared at, by round. */
export function roundPercentiles(rounds: readonly RoundResult[]): readonly RoundPercentiles[] {
  return rounds.map(({ index, latencyNs }) => {
    const sortedNs = sortedCopy(latencyNs);
    return {
      round: index,
      percentiles: COMPARED.flatMap((percentile) => {
        const seconds = secondsAt(sortedNs, percentile);
        return seconds === undefined ? [] : [{ percentile, seconds }];
      }),
    };
  });
}

/** MLPerf's `sorted[floor(n * p)]`; undefined unless at least one latency in n is expected at or beyond it. */
function secondsAt(sortedNs: Float64Array, percentile: number): number | undefined {
  const n = sortedNs.length;
  // Percentiles such as 99.9 are no binary fractions; a billionth keeps 1,000 latencies enough for it.
  if (n * (1 - percentile / 100) < 1 - 1e-9) return undefined;
  const latencyNs = sortedNs[Math.min(n - 1, Math.floor((n * percentile) / 100 + 1e-9))];
  return latencyNs === undefined ? undefined : latencyNs / 1e9;
}
