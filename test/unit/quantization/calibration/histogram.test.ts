import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistogram, type HistogramCounts } from '../../../../src/quantization/calibration/histogram.ts';

function rangeOf(values: Float32Array) {
  return { min: Math.min(0, ...values), max: Math.max(0, ...values) };
}

function total({ counts }: HistogramCounts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The lower edge of each bin that holds something, with its count. */
function filled({ binWidth, counts }: HistogramCounts): [number, number][] {
  const zero = counts.length / 2;
  return [...counts].flatMap((count, bin): [number, number][] =>
    count > 0 ? [[(bin - zero) * binWidth, count]] : [],
  );
}

describe('createHistogram', () => {
  it('counts values on both sides of zero in bins whose edges are multiples of the width', () => {
    const histogram = createHistogram(4);
    const values = Float32Array.of(-2, -0.1, 0, 0.1, 1.9);
    histogram.cover(rangeOf(values));
    histogram.add(values, 1, 1);
    expect(filled(histogram.snapshot())).toEqual([
      [-2, 1],
      [-0.5, 1],
      [0, 2],
      [1.5, 1],
    ]);
  });

  it('puts the upper end itself into the last bin', () => {
    const histogram = createHistogram(4);
    histogram.cover({ min: 0, max: 2 });
    histogram.add(Float32Array.of(2), 1, 1);
    expect(filled(histogram.snapshot())).toEqual([[1.5, 1]]);
  });

  it('doubles its bins for a larger range without moving a count into a wrong bin', () => {
    const histogram = createHistogram(4);
    histogram.cover({ min: 0, max: 1 });
    histogram.add(Float32Array.of(0.1, 0.3, 0.6, 0.9), 1, 1);
    histogram.cover({ min: 0, max: 1.5 });
    histogram.add(Float32Array.of(1.4), 1, 1);
    expect(filled(histogram.snapshot())).toEqual([
      [0, 2],
      [0.5, 2],
      [1, 1],
    ]);
  });

  it('counts zeros before it has seen anything else', () => {
    const histogram = createHistogram(4);
    histogram.cover({ min: 0, max: 0 });
    histogram.add(new Float32Array(10), 3, 1);
    expect(total(histogram.snapshot())).toBe(4);
    histogram.add(Float32Array.of(-1, 1), 1, 1);
    expect(filled(histogram.snapshot())).toEqual([
      [-1, 1],
      [0, 4],
      [0.75, 1],
    ]);
  });

  it('adds every so many-th value, with its weight', () => {
    const histogram = createHistogram(4);
    histogram.cover({ min: 0, max: 1 });
    histogram.add(Float32Array.of(0.1, 0.9, 0.1, 0.9), 2, 0.25);
    expect(filled(histogram.snapshot())).toEqual([[0, 0.5]]);
  });

  it('makes room by itself for values beyond what was covered', () => {
    const values = Float32Array.of(0.1, 0.3, 0.6, 0.9, 1.4, -0.1);
    const grown = createHistogram(4);
    grown.add(values.subarray(0, 4), 1, 1);
    grown.add(values.subarray(4), 1, 1);
    expect(total(grown.snapshot())).toBe(6);
    const { min, max } = grown.snapshot().range;
    expect([min, max]).toEqual([Math.fround(-0.1), Math.fround(1.4)]);
    for (const [edge] of filled(grown.snapshot())) expect(Math.abs(edge % grown.snapshot().binWidth)).toBe(0);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'says that it met %s, as the first value, too',
    (bad) => {
      expect(createHistogram(4).add(Float32Array.of(bad), 1, 1)).toBe(false);
      const started = createHistogram(4);
      expect(started.add(Float32Array.of(0.5, 1), 1, 1)).toBe(true);
      expect(started.add(Float32Array.of(0.5, bad), 1, 1)).toBe(false);
    },
  );

  it('does not look at what lies between the values that it picks', () =>
    expect(createHistogram(4).add(Float32Array.of(1, Number.NaN, 1), 2, 1)).toBe(true));

  it('does not depend on how values come in batches once the range is known', () => {
    const floats = fc.float32Array({ minLength: 1, maxLength: 60, noNaN: true, min: -100, max: 100 });
    fc.assert(
      fc.property(floats, fc.nat(60), (values, cut) => {
        const whole = createHistogram(64);
        whole.cover(rangeOf(values));
        whole.add(values, 1, 1);
        const parts = createHistogram(64);
        parts.cover(rangeOf(values));
        parts.add(values.subarray(0, cut), 1, 1);
        parts.add(values.subarray(cut), 1, 1);
        expect(parts.snapshot()).toEqual(whole.snapshot());
        expect(total(whole.snapshot())).toBe(values.length);
      }),
    );
  });
});
