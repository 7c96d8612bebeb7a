import { overLatencyAllowance } from './early-stopping.ts';

/** The percentiles that are reported, in thousandths so that ranks are computed in whole numbers. */
const PERCENTILES = { p50: 500, p90: 900, p95: 950, p99: 990, p999: 999 } as const;

type PercentileName = keyof typeof PERCENTILES;

/** A percentile is null where there are too few latencies to speak of it. */
type Percentiles = Readonly<Record<PercentileName, number | null>>;

/** Latencies in seconds. Nothing is dropped: outliers are part of every figure. */
export interface LatencySummary extends Percentiles {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Sample standard deviation (n - 1); null for a single latency. */
  readonly stddev: number | null;
  /** Upper bounds of the true percentiles at 99 % confidence, MLPerf's early-stopping estimates. */
  readonly earlyStopping: Percentiles;
}

/** Counts by Tukey's fences: mild beyond 1.5 times the interquartile range, severe beyond 3 times. */
export interface OutlierCounts {
  readonly lowSevere: number;
  readonly lowMild: number;
  readonly highMild: number;
  readonly highSevere: number;
}

/** A copy in ascending order. */
export function sortedCopy(values: Float64Array): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * MLPerf's percentile, `sorted[floor(n * p)]`: always a latency that occurred. Null unless at least one latency in n is
 * expected at or beyond it (10 for the 90th, 1,000 for the 99.9th); below that it would only restate the maximum.
 */
export function percentile(sorted: Float64Array, permille: number): number | null {
  const n = sorted.length;
  if (n * (1000 - permille) < 1000) return null;
  return sorted[Math.floor((n * permille) / 1000)] ?? null;
}

/** MLPerf's early-stopping estimate of a percentile: the t-th largest latency, null when n is too small. */
export function earlyStoppingEstimate(sorted: Float64Array, permille: number): number | null {
  const allowance = overLatencyAllowance(sorted.length, permille);
  return allowance === null ? null : (sorted[sorted.length - allowance] ?? null);
}

/** Summary of latencies given in nanoseconds, in ascending order; null when there are none. */
export function summarizeLatencies(sortedNs: Float64Array): LatencySummary | null {
  const n = sortedNs.length;
  if (n === 0) return null;
  let sum = 0;
  for (const latency of sortedNs) sum += latency;
  const mean = sum / n;
  let squares = 0;
  for (const latency of sortedNs) squares += (latency - mean) ** 2;
  return {
    mean: mean / 1e9,
    ...percentilesBy((permille) => percentile(sortedNs, permille)),
    min: (sortedNs[0] as number) / 1e9,
    max: (sortedNs[n - 1] as number) / 1e9,
    stddev: n < 2 ? null : Math.sqrt(squares / (n - 1)) / 1e9,
    earlyStopping: percentilesBy((permille) => earlyStoppingEstimate(sortedNs, permille)),
  };
}

/** Labels the outliers of values in ascending order. They stay in every other figure. */
export function countOutliers(sorted: Float64Array): OutlierCounts {
  const n = sorted.length;
  const lowerQuartile = sorted[Math.floor(n / 4)] ?? 0;
  const upperQuartile = sorted[Math.floor((n * 3) / 4)] ?? 0;
  const range = upperQuartile - lowerQuartile;
  const counts = { lowSevere: 0, lowMild: 0, highMild: 0, highSevere: 0 };
  for (const value of sorted) {
    if (value < lowerQuartile - 3 * range) counts.lowSevere += 1;
    else if (value < lowerQuartile - 1.5 * range) counts.lowMild += 1;
    else if (value > upperQuartile + 3 * range) counts.highSevere += 1;
    else if (value > upperQuartile + 1.5 * range) counts.highMild += 1;
  }
  return counts;
}

function percentilesBy(ofPermille: (permille: number) => number | null): Percentiles {
  const seconds = (permille: number) => {
    const latencyNs = ofPermille(permille);
    return latencyNs === null ? null : latencyNs / 1e9;
  };
  return {
    p50: seconds(PERCENTILES.p50),
    p90: seconds(PERCENTILES.p90),
    p95: seconds(PERCENTILES.p95),
    p99: seconds(PERCENTILES.p99),
    p999: seconds(PERCENTILES.p999),
  };
}
