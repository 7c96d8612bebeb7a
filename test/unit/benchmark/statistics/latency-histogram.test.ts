import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortedCopy } from '../../../../src/benchmark/latency-statistics.ts';
import {
  bucketsOf,
  createLatencyHistogram,
  histogramFromPlain,
  histogramMean,
  histogramPercentile,
  histogramToPlain,
  type LatencyHistogram,
  mergeHistograms,
  type PlainHistogram,
  recordLatency,
} from '../../../../src/benchmark/statistics/latency-histogram.ts';

const HOUR_NS = 3.6e12;

function histogramOf(latenciesNs: readonly number[], digits = 3): LatencyHistogram {
  const histogram = createLatencyHistogram(digits);
  for (const latencyNs of latenciesNs) recordLatency(histogram, latencyNs);
  return histogram;
}

/** Whole nanoseconds: any, all of one decade, heavy-tailed over all decades, and the extremes. */
const latency = fc.oneof(
  fc.integer({ min: 0, max: HOUR_NS }),
  fc.integer({ min: 900_000, max: 1_100_000 }),
  fc.double({ min: 0, max: Math.log(HOUR_NS), noNaN: true }).map((log) => Math.floor(Math.exp(log))),
  fc.constantFrom(0, 1, 2_047, 2_048, 2_049, 2 ** 31, 2 ** 32 - 1, 2 ** 32, HOUR_NS - 1, HOUR_NS),
);
const latencies = fc.oneof(
  fc.array(latency, { minLength: 1, maxLength: 200 }),
  fc.tuple(latency, fc.integer({ min: 1, max: 50 })).map(([ns, times]) => Array<number>(times).fill(ns)),
);

describe('histogramPercentile', () => {
  it.each([1, 2, 3, 4, 5])('keeps %i significant digits of the exact order statistic', (digits) => {
    fc.assert(
      fc.property(latencies, fc.integer({ min: 0, max: 1_000 }), (values, permille) => {
        const sorted = sortedCopy(Float64Array.from(values));
        const rank = Math.min(values.length - 1, Math.floor((values.length * permille) / 1000));
        const exact = sorted[rank] as number;
        const found = histogramPercentile(histogramOf(values, digits), permille) as number;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.5 * 10 ** -digits);
      }),
      { numRuns: digits === 3 ? 300 : 20 },
    );
  });

  it('is exact below 2,048 ns and at both ends', () => {
    const histogram = histogramOf([3, 1_001, 2_047, 123_456_789, 3_333_333_333_333]);
    expect([0, 200, 400, 800, 1_000].map((permille) => histogramPercentile(histogram, permille))).toEqual([
      3, 1_001, 2_047, 3_333_333_333_333, 3_333_333_333_333,
    ]);
  });

  it('is exact where all latencies are equal', () => {
    const histogram = histogramOf(Array(10).fill(1_000_001));
    expect(histogramPercentile(histogram, 500)).toBe(1_000_001);
    expect(histogramPercentile(histogramOf([1_000_000, ...Array(9).fill(1_000_000)]), 500)).toBe(1_000_000);
  });

  it('tells latencies beyond an hour by the greatest of them', () => {
    const histogram = histogramOf([1e6, 5e12, 6e12]);
    expect(histogramPercentile(histogram, 500)).toBe(6e12);
    expect(histogram.maxNs).toBe(6e12);
  });

  it('is null while nothing is recorded', () => {
    expect(histogramPercentile(createLatencyHistogram(), 500)).toBeNull();
    expect(histogramMean(createLatencyHistogram())).toBeNull();
  });
});

describe('recordLatency', () => {
  it('keeps count, least, greatest and mean exactly', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const histogram = histogramOf(values);
        const sum = values.reduce((total, value) => total + value, 0);
        expect(histogram).toMatchObject({
          count: values.length,
          minNs: Math.min(...values),
          maxNs: Math.max(...values),
        });
        expect(histogramMean(histogram)).toBe(sum / values.length);
      }),
    );
  });

  it('rounds to whole nanoseconds', () => {
    const histogram = histogramOf([1.4, 2.6]);
    expect(histogram).toMatchObject({ minNs: 1, maxNs: 3, sumNs: 4 });
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (latencyNs) => {
    expect(() => recordLatency(createLatencyHistogram(), latencyNs)).toThrow('a latency is 0 ns or more');
  });
});

describe('createLatencyHistogram', () => {
  it.each([0, 6, 2.5])('refuses %d digits', (digits) => {
    expect(() => createLatencyHistogram(digits)).toThrow('digits must be a whole number from 1 to 5');
  });

  it('takes 270 KB at 3 digits', () => {
    expect(createLatencyHistogram().counts.byteLength).toBeLessThan(270_000);
  });
});

describe('mergeHistograms', () => {
  it('equals recording everything, in whatever grouping', () => {
    fc.assert(
      fc.property(latencies, latencies, latencies, (a, b, c) => {
        const [x, y, z] = [a, b, c].map((values) => histogramOf(values)) as [
          LatencyHistogram,
          LatencyHistogram,
          LatencyHistogram,
        ];
        const plain = histogramToPlain(histogramOf([...a, ...b, ...c]));
        expect(histogramToPlain(mergeHistograms([x, y, z]))).toEqual(plain);
        expect(histogramToPlain(mergeHistograms([mergeHistograms([x, y]), z]))).toEqual(plain);
        expect(histogramToPlain(mergeHistograms([x, mergeHistograms([y, z])]))).toEqual(plain);
      }),
      { numRuns: 20 },
    );
  });

  it('leaves what it merges as it was, and takes none or empty ones', () => {
    const one = histogramOf([5]);
    expect(histogramToPlain(mergeHistograms([one, createLatencyHistogram()]))).toEqual(histogramToPlain(one));
    mergeHistograms([one, one]);
    expect(one.count).toBe(1);
    expect(mergeHistograms([]).count).toBe(0);
  });

  it('keeps the digits of what it merges', () =>
    expect(mergeHistograms([histogramOf([1], 2), histogramOf([2], 2)])).toMatchObject({
      digits: 2,
      count: 2,
    }));

  it('refuses histograms of different digits', () => {
    expect(() => mergeHistograms([histogramOf([1], 2), histogramOf([1], 3)])).toThrow('have no sum');
  });
});

describe('histogramFromPlain', () => {
  it('brings back through JSON what was recorded', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const histogram = histogramOf(values);
        const plain: PlainHistogram = JSON.parse(JSON.stringify(histogramToPlain(histogram)));
        expect(plain.buckets.length).toBeLessThanOrEqual(values.length);
        const back = histogramFromPlain(plain);
        expect(back.ok && histogramToPlain(back.value)).toEqual(histogramToPlain(histogram));
      }),
      { numRuns: 20 },
    );
  });

  it('brings back an empty one', () => {
    const plain: PlainHistogram = JSON.parse(JSON.stringify(histogramToPlain(createLatencyHistogram())));
    expect(histogramFromPlain(plain)).toEqual({ ok: true, value: createLatencyHistogram() });
  });

  const good = histogramToPlain(histogramOf([10, 20, 20]));
  it.each([
    ['digits', { digits: 7 }],
    ['count', { count: 4 }],
    ['minNs', { minNs: 9 }],
    ['minNs', { minNs: null }],
    ['maxNs', { maxNs: 1e6 }],
    ['sumNs', { sumNs: 1e9 }],
    [
      'buckets/1',
      {
        buckets: [
          [20, 1],
          [10, 2],
        ] as const,
      },
    ],
    ['buckets/0', { buckets: [[1e9, 3]] as const }],
    ['buckets/0', { buckets: [[10, 1.5]] as const }],
  ])('refuses data whose %s does not fit', (field, damage) => {
    expect(histogramFromPlain(good).ok).toBe(true);
    expect(histogramFromPlain({ ...good, ...damage })).toMatchObject({
      ok: false,
      error: { kind: 'invalid-histogram', place: { field } },
    });
  });
});

describe('bucketsOf', () => {
  it('gives ranges that do not overlap, with every latency in the one that counted it', () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 50 }), (latenciesNs) => {
        const buckets = bucketsOf(histogramToPlain(histogramOf(latenciesNs)));
        for (const [place, { fromNs, toNs, count }] of buckets.entries()) {
          expect(latenciesNs.filter((latencyNs) => latencyNs >= fromNs && latencyNs <= toNs)).toHaveLength(
            count,
          );
          expect(fromNs).toBeGreaterThan(buckets[place - 1]?.toNs ?? -1);
        }
        expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(latenciesNs.length);
      }),
    );
  });
});
