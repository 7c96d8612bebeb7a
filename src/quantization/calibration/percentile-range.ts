import type { ValueRange } from '../affine.ts';
import type { HistogramCounts } from './histogram.ts';

/**
 * The range that keeps `percentile` per cent of the values: what is cut is shared evenly between the two ends of a
 * distribution on both sides of zero, and is all at the one end of a distribution on one side. An end is the outer edge
 * of the bin that holds the last value kept, and never outside the observed extremes.
 */
export function percentileRange(
  { binWidth, counts, range }: HistogramCounts,
  percentile: number,
): ValueRange {
  const zero = counts.length / 2;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const sides = Number(range.min < 0) + Number(range.max > 0);
  const cut = (total * (1 - percentile / 100)) / Math.max(1, sides);
  let high = counts.length - 1;
  for (let beyond = 0; high > zero; high--) {
    beyond += counts[high] as number;
    if (beyond > cut) break;
  }
  let low = 0;
  for (let beyond = 0; low < zero - 1; low++) {
    beyond += counts[low] as number;
    if (beyond > cut) break;
  }
  return {
    min: Math.max(range.min, Math.min(0, (low - zero) * binWidth)),
    max: Math.min(range.max, Math.max(0, (high - zero + 1) * binWidth)),
  };
}
