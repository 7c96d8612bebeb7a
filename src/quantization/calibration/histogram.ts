import type { ValueRange } from '../affine.ts';

/** Bins on each side of zero. Eight or more bins then fall on one step of an 8-bit grid. */
const DEFAULT_BINS = 2048;

/**
 * Counts of values in bins of equal width on both sides of zero. Bin edges are multiples of the width and a range that
 * becomes too small is doubled by merging bins in pairs, so no count ever moves to a wrong bin: the result does not
 * depend on how the values come in batches.
 */
export interface Histogram {
  /** Makes room for values within `range`. Must be called before values outside the present range are added. */
  cover(range: ValueRange): void;
  /** Adds every `stride`-th element, each counted as `weight`. Values must lie within the covered range. */
  add(values: Float32Array, stride: number, weight: number): void;
  snapshot(): HistogramCounts;
}

/** What a histogram has counted. */
export interface HistogramCounts {
  readonly binWidth: number;
  /** Length 2·bins; bin i holds the values of [(i − bins)·binWidth, (i − bins + 1)·binWidth). */
  readonly counts: Float64Array;
  /** The covered extremes, exact. */
  readonly range: ValueRange;
}

export function createHistogram(bins = DEFAULT_BINS): Histogram {
  // One more bin takes the values that are exactly the upper end.
  let counts = new Float64Array(2 * bins + 1);
  let binWidth = 0;
  let min = 0;
  let max = 0;
  return {
    cover: (range) => {
      min = Math.min(min, range.min);
      max = Math.max(max, range.max);
      const reach = Math.max(max, -min);
      if (binWidth === 0) binWidth = reach / bins;
      while (reach > binWidth * bins) {
        counts = mergePairs(counts, bins);
        binWidth *= 2;
      }
    },
    add: (values, stride, weight) => {
      if (binWidth === 0) {
        counts[bins] = (counts[bins] as number) + weight * Math.ceil(values.length / stride);
        return;
      }
      const perUnit = 1 / binWidth;
      const last = 2 * bins;
      for (let i = 0; i < values.length; i += stride) {
        // The sum is never negative within the covered range, so cutting off its fraction rounds down.
        let bin = ((values[i] as number) * perUnit + bins) | 0;
        if (bin > last) bin = last;
        else if (bin < 0) bin = 0;
        counts[bin] = (counts[bin] as number) + weight;
      }
    },
    snapshot: () => {
      const folded = counts.slice(0, 2 * bins);
      folded[2 * bins - 1] = (folded[2 * bins - 1] as number) + (counts[2 * bins] as number);
      return { binWidth, counts: folded, range: { min, max } };
    },
  };
}

/** Bins of twice the width: each new bin holds the two old ones that lie in it, on either side of zero. */
function mergePairs(counts: Float64Array, bins: number): Float64Array<ArrayBuffer> {
  const merged = new Float64Array(counts.length);
  for (let i = 0; i < counts.length; i++) {
    const bin = Math.floor((i - bins) / 2) + bins;
    merged[bin] = (merged[bin] as number) + (counts[i] as number);
  }
  return merged;
}
