import type { ValueRange } from '../affine.ts';
import type { HistogramCounts } from './histogram.ts';

const CANDIDATES = 128;
const ROUNDS = 4;
/** The narrowest range that is tried, as a share of the observed extreme. */
const NARROWEST = 0.05;

/**
 * The range that loses least: values outside are cut, values inside are rounded to one of `levels` steps, and the mean
 * square of both errors together is smallest. The rounding error of a uniform grid is taken as step²/12; the bins at
 * zero count as exact, because zero always is. Each end is searched in turn until neither moves.
 * Source: the trade-off of Banner et al., «Post-training 4-bit quantization» (2019), on the counted distribution
 * instead of an assumed one.
 */
export function mseRange(histogram: HistogramCounts, levels = 256): ValueRange {
  const { range } = histogram;
  const cost = createCost(histogram, levels);
  let best = { ...range };
  for (let round = 0; round < ROUNDS; round++) {
    const before = best;
    if (range.max > 0) best = searchEnd(range.max, (max) => ({ ...best, max }), cost, best);
    if (range.min < 0) best = searchEnd(range.min, (min) => ({ ...best, min }), cost, best);
    if (best.min === before.min && best.max === before.max) break;
  }
  return best;
}

function searchEnd(
  extreme: number,
  withEnd: (end: number) => ValueRange,
  cost: (range: ValueRange) => number,
  start: ValueRange,
): ValueRange {
  let best = start;
  let lowest = cost(start);
  for (let i = 0; i < CANDIDATES; i++) {
    const candidate = withEnd(extreme * (NARROWEST + ((1 - NARROWEST) * (i + 1)) / CANDIDATES));
    const found = cost(candidate);
    if (found < lowest) {
      lowest = found;
      best = candidate;
    }
  }
  return best;
}

/** The total squared error for a range, in constant time after one pass of running sums. */
function createCost({ binWidth, counts }: HistogramCounts, levels: number): (range: ValueRange) => number {
  const zero = counts.length / 2;
  // Running sums of 1, x and x² up to a bin, from which the error of all values beyond an end follows.
  const sums = [0, 1, 2].map(() => new Float64Array(counts.length + 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    const centre = (i - zero + 0.5) * binWidth;
    sums[0][i + 1] = (sums[0][i] as number) + count;
    sums[1][i + 1] = (sums[1][i] as number) + count * centre;
    sums[2][i + 1] = (sums[2][i] as number) + count * centre * centre;
  }
  const total = counts.length;
  const between = (k: 0 | 1 | 2, from: number, to: number) =>
    (sums[k][to] as number) - (sums[k][from] as number);
  const beyond = (end: number, from: number, to: number) =>
    between(2, from, to) - 2 * end * between(1, from, to) + end * end * between(0, from, to);
  const atZero = (counts[zero - 1] as number) + (counts[zero] as number);
  return ({ min, max }) => {
    const low = Math.max(0, Math.min(total, Math.round(min / binWidth) + zero));
    const high = Math.max(0, Math.min(total, Math.round(max / binWidth) + zero));
    const step = (max - min) / (levels - 1);
    const rounded = Math.max(0, between(0, low, high) - atZero);
    return beyond(min, 0, low) + beyond(max, high, total) + (rounded * step * step) / 12;
  };
}
