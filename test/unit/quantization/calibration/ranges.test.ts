import { describe, expect, it } from 'vitest';
import type { ValueRange } from '../../../../src/quantization/affine.ts';
import { entropyRange } from '../../../../src/quantization/calibration/entropy-range.ts';
import { createHistogram, type HistogramCounts } from '../../../../src/quantization/calibration/histogram.ts';
import { mseRange } from '../../../../src/quantization/calibration/mse-range.ts';
import { percentileRange } from '../../../../src/quantization/calibration/percentile-range.ts';

function histogramOf(values: Float32Array): HistogramCounts {
  const histogram = createHistogram();
  let min = 0;
  let max = 0;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  histogram.cover({ min, max });
  histogram.add(values, 1, 1);
  return histogram.snapshot();
}

/** A seeded generator (mulberry32), uniform over 0…1. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normals(count: number, seed = 1): Float32Array {
  const random = uniform(seed);
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function withOutlier(values: Float32Array, outlier: number): Float32Array {
  return Float32Array.of(...values, outlier);
}

/** The mean squared error of an 8-bit grid over the range, by doing it. */
function quantizationError(values: Float32Array, { min, max }: ValueRange): number {
  const step = (max - min) / 255;
  const errors = values.map((value) => {
    const code = Math.min(255, Math.max(0, Math.round((value - min) / step)));
    return (min + code * step - value) ** 2;
  });
  return errors.reduce((sum, error) => sum + error, 0) / values.length;
}

/** Kullback–Leibler divergence of a cut distribution from the same one spread over `levels`, bin by bin. */
function textbookDivergence(magnitudes: readonly number[], threshold: number, levels: number): number {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const inside = magnitudes.slice(0, threshold);
  const total = sum(magnitudes);
  const spread = new Array<number>(threshold).fill(0);
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * threshold) / levels);
    const to = Math.floor(((level + 1) * threshold) / levels);
    const group = inside.slice(from, to);
    const each = sum(group) / group.filter((count) => count > 0).length;
    group.forEach((count, i) => {
      if (count > 0) spread[from + i] = each / sum(inside);
    });
  }
  const cut = inside.map((count, i) => (i === threshold - 1 ? count + total - sum(inside) : count) / total);
  return sum(cut.map((p, i) => (p === 0 ? 0 : p * Math.log(p / Math.max(spread[i] ?? 0, 1e-4 / threshold)))));
}

const bell = normals(20_000);
const rectified = bell.map((value) => Math.max(0, value));

describe('mseRange', () => {
  it('cuts a lone outlier where it would cost the other values more than it is worth', () => {
    const histogram = histogramOf(withOutlier(bell, 40));
    // On 255 steps the outlier is dearer to lose than the resolution; on 15 steps it is the other way round.
    expect(mseRange(histogram, 256).max).toBeGreaterThan(35);
    expect(mseRange(histogram, 16).max).toBeLessThan(5);
  });

  it('keeps the whole range of evenly spread values', () => {
    const random = uniform(2);
    const even = Float32Array.from({ length: 20_000 }, () => random() * 10);
    expect(mseRange(histogramOf(even)).max).toBeGreaterThan(9.9);
  });

  it.each([
    { name: 'a bell', values: bell },
    { name: 'a bell with an outlier', values: withOutlier(bell, 25) },
    { name: 'a rectified bell', values: rectified },
  ])('comes within a twentieth of the best of many ranges for $name', ({ values }) => {
    const { min, max } = histogramOf(values).range;
    const shares = Array.from({ length: 30 }, (_, i) => (i + 1) / 30);
    const candidates =
      min < 0
        ? shares.flatMap((low) => shares.map((high) => ({ min: min * low, max: max * high })))
        : shares.map((high) => ({ min: 0, max: max * high }));
    const best = Math.min(...candidates.map((range) => quantizationError(values, range)));
    expect(quantizationError(values, mseRange(histogramOf(values)))).toBeLessThan(best * 1.05);
  });

  it('gives a rectified distribution a range from zero', () =>
    expect(mseRange(histogramOf(rectified)).min).toBe(0));
});

describe('percentileRange', () => {
  it('keeps the share of values that is asked for, to within a bin', () => {
    const random = uniform(3);
    const even = Float32Array.from({ length: 100_000 }, () => random());
    const range = percentileRange(histogramOf(even), 90);
    expect(range.min).toBe(0);
    expect(range.max).toBeCloseTo(0.9, 2);
  });

  it('cuts both ends of a distribution on both sides of zero alike', () => {
    const range = percentileRange(histogramOf(bell), 95);
    expect(range.max).toBeCloseTo(1.96, 1);
    expect(range.min).toBeCloseTo(-1.96, 1);
  });

  it('keeps everything at 100', () => {
    const histogram = histogramOf(withOutlier(bell, 40));
    expect(percentileRange(histogram, 100)).toEqual(histogram.range);
  });

  it('never goes beyond what was observed', () => {
    const range = percentileRange(histogramOf(Float32Array.of(0.3, 0.3, 0.3)), 99.99);
    expect(range).toEqual({ min: 0, max: Math.fround(0.3) });
  });
});

describe('entropyRange', () => {
  it('clips a lone outlier, which a search with as many bins as levels could not', () => {
    const range = entropyRange(histogramOf(withOutlier(bell, 40)));
    expect(range.max).toBeLessThan(20);
    expect(range.max).toBeGreaterThan(2);
  });

  it('is not misled by the zeros that a ReLU makes', () => {
    const mostlyZero = Float32Array.of(...rectified, ...new Float32Array(60_000));
    expect(entropyRange(histogramOf(mostlyZero)).max).toBeGreaterThan(2);
  });

  it('picks the threshold of the least divergence, as the textbook sum gives it', () => {
    const far = Float32Array.from({ length: 2000 }, (_, i) => 6 + i / 333);
    const histogram = histogramOf(Float32Array.of(...bell, ...far));
    const { counts, binWidth } = histogram;
    const bins = counts.length / 2;
    const magnitudes = Array.from(
      { length: bins },
      (_, i) => (counts[bins + i] ?? 0) + (counts[bins - 1 - i] ?? 0),
    );
    magnitudes[0] = magnitudes[1] ?? 0;
    const found = Math.round(entropyRange(histogram).max / binWidth);
    const least = textbookDivergence(magnitudes, found, 128);
    for (let threshold = 128; threshold <= bins; threshold += 7) {
      // The search looks at every seventh threshold, not at the same ones.
      expect(textbookDivergence(magnitudes, threshold, 128)).toBeGreaterThan(least * 0.99);
    }
  });

  it('keeps a range that has no more bins than the grid has levels', () => {
    const few = createHistogram(100);
    few.cover({ min: -1, max: 1 });
    few.add(Float32Array.of(-1, 0.5, 1), 1, 1);
    expect(entropyRange(few.snapshot())).toEqual({ min: -1, max: 1 });
  });
});
