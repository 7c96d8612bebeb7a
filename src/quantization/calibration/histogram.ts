import type { ValueRange } from '../affine.ts';

/** Bins on each side of zero. Eight or more bins then fall on one step of an 8-bit grid. */
const DEFAULT_BINS = 2048;

/**
 * Counts of values in bins of equal width on both sides of zero. Bin edges are multiples of the width and a range that
 * becomes too small is doubled by merging bins in pairs, so no count ever moves to a wrong bin: the result does not
 * depend on how the values come in batches.
 */
export interface Histogram {
  /** Makes room for values within `range`, which then counts as observed. */
  cover(range: ValueRange): void;
  /**
   * Adds every `stride`-th element, each counted as `weight`, and makes room for it where it is needed.
   * @returns false as soon as a value is NaN or infinite, or as large as float32 gets: a MaxPool of the runtime gives
   *   the lowest float32 for −∞
   */
  add(values: Float32Array, stride: number, weight: number): boolean;
  snapshot(): HistogramCounts;
}

/** What a histogram has counted. */
export interface HistogramCounts {
  readonly binWidth: number;
  /** Length 2·bins; bin i holds the values of [(i − bins)·binWidth, (i − bins + 1)·binWidth). */
  readonly counts: Float64Array;
  /** The observed extremes, widened to hold 0. */
  readonly range: ValueRange;
}

const MAX_FLOAT32 = 3.4028234663852886e38;

export function createHistogram(bins = DEFAULT_BINS): Histogram {
  // One more bin takes the values that are exactly the upper end.
  let counts = new Float64Array(2 * bins + 1);
  let binWidth = 0;
  let min = 0;
  let max = 0;
  const cover = (range: ValueRange) => {
    min = Math.min(min, range.min);
    max = Math.max(max, range.max);
    const reach = Math.max(max, -min);
    if (binWidth === 0) binWidth = reach / bins;
    while (reach > binWidth * bins) {
      counts = mergePairs(counts, bins);
      binWidth *= 2;
    }
  };
  return {
    cover,
    add: (values, stride, weight) => {
      // The first values choose the width: found one by one, they would make it double many times.
      if (binWidth === 0) cover(finiteExtremes(values, stride));
      for (let next = 0; ; ) {
        // As long as all is 0, there is no width yet, and all belongs into the bin at 0.
        const perUnit = binWidth === 0 ? 0 : 1 / binWidth;
        next = countWithin({ min, max }, values, next, stride, { counts, perUnit, zero: bins, weight });
        if (next >= values.length) return true;
        const value = values[next] as number;
        if (!(Math.abs(value) < MAX_FLOAT32)) return false;
        cover({ min: value, max: value });
      }
    },
    snapshot: () => {
      const folded = counts.slice(0, 2 * bins);
      folded[2 * bins - 1] = (folded[2 * bins - 1] as number) + (counts[2 * bins] as number);
      return { binWidth, counts: folded, range: { min, max } };
    },
  };
}

interface Counting {
  readonly counts: Float64Array;
  /** Bins in a unit of the values. */
  readonly perUnit: number;
  /** The bin that starts at 0. */
  readonly zero: number;
  readonly weight: number;
}

/** Counts every `stride`-th value from `start` up to the first that is not in `range`, whose index it returns. */
function countWithin(
  { min, max }: ValueRange,
  values: Float32Array,
  start: number,
  stride: number,
  { counts, perUnit, zero, weight }: Counting,
): number {
  for (let i = start; i < values.length; i += stride) {
    const value = values[i] as number;
    // Said this way round, it also stops at NaN.
    if (!(value <= max && value >= min)) return i;
    // The sum is never negative within the range, so cutting off its fraction rounds down.
    const bin = (value * perUnit + zero) | 0;
    counts[bin] = (counts[bin] as number) + weight;
  }
  return values.length;
}

/** The extremes of every `stride`-th value, widened to hold 0; what is NaN or infinite is left out. */
function finiteExtremes(values: Float32Array, stride: number): ValueRange {
  let min = 0;
  let max = 0;
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i] as number;
    if (value > max && value < MAX_FLOAT32) max = value;
    else if (value < min && value > -MAX_FLOAT32) min = value;
  }
  return { min, max };
}

/** Bins of twice the width: each new bin holds the two old ones that lie in it, on either side of zero. */
function mergePairs(counts: Float64Array, bins: number): Float64Array<ArrayBuffer> {
  const merged = new Float64Array(counts.length);
  for (let i = 0; i < counts.length; i++) {
    const bin = ((i - bins) >> 1) + bins;
    merged[bin] = (merged[bin] as number) + (counts[i] as number);
  }
  return merged;
}
