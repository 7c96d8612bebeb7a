import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countOutliers,
  earlyStoppingEstimate,
  percentile,
  sortedCopy,
  summarizeLatencies,
} from '../../../src/benchmark/latency-statistics.ts';

const upTo = (n: number) => Float64Array.from({ length: n }, (_, i) => i + 1);

describe('percentile', () => {
  it('is sorted[floor(n p)], computed in whole numbers', () => {
    expect(percentile(upTo(1000), 500)).toBe(501);
    expect(percentile(upTo(1000), 900)).toBe(901);
    expect(percentile(upTo(1000), 990)).toBe(991);
    expect(percentile(upTo(1000), 999)).toBe(1000);
    expect(percentile(upTo(15), 900)).toBe(14);
  });

  it('is null when fewer than one latency is expected beyond it', () => {
    expect(percentile(upTo(999), 999)).toBeNull();
    expect(percentile(upTo(99), 990)).toBeNull();
    expect(percentile(upTo(100), 990)).toBe(100);
    expect(percentile(upTo(0), 500)).toBeNull();
  });

  it('has floor(n p) latencies before it, whatever the latencies', () => {
    const latencies = fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1000, maxLength: 1100 });
    fc.assert(
      fc.property(latencies, fc.constantFrom(500, 900, 950, 990, 999), (values, permille) => {
        const sorted = sortedCopy(Float64Array.from(values));
        const value = percentile(sorted, permille) as number;
        const rank = Math.floor((sorted.length * permille) / 1000);
        const below = sorted.filter((latency) => latency < value).length;
        const notAbove = sorted.filter((latency) => latency <= value).length;
        expect(below).toBeLessThanOrEqual(rank);
        expect(notAbove).toBeGreaterThan(rank);
      }),
      { numRuns: 20 },
    );
  });
});

describe('earlyStoppingEstimate', () => {
  it('is the t-th largest latency and lies above the plain percentile', () => {
    expect(earlyStoppingEstimate(upTo(10_000), 990)).toBe(10_000 - 77 + 1);
    expect(earlyStoppingEstimate(upTo(10_000), 990)).toBeGreaterThan(percentile(upTo(10_000), 990) as number);
    expect(earlyStoppingEstimate(upTo(661), 990)).toBeNull();
  });
});

describe('summarizeLatencies', () => {
  it('gives seconds from nanoseconds', () => {
    const summary = summarizeLatencies(Float64Array.of(1e6, 2e6, 3e6, 6e6));
    expect(summary).toMatchObject({ mean: 0.003, min: 0.001, max: 0.006, p50: 0.003, p90: null, p99: null });
    expect(summary?.stddev).toBeCloseTo(Math.sqrt(14 / 3) / 1e3, 12);
    expect(summary?.earlyStopping).toEqual({ p50: null, p90: null, p95: null, p99: null, p999: null });
  });

  it('has no standard deviation for a single latency and nothing at all for none', () => {
    expect(summarizeLatencies(Float64Array.of(5e6))).toMatchObject({ mean: 0.005, stddev: null });
    expect(summarizeLatencies(new Float64Array(0))).toBeNull();
  });
});

describe('countOutliers', () => {
  it('labels by Tukey fences and leaves the rest alone', () => {
    // Quartiles 100 and 104 put the fences at 94 and 110 (mild), 88 and 116 (severe).
    const middle = [100, 100, 100, 101, 102, 103, 104, 104];
    expect(countOutliers(Float64Array.from([80, 90, ...middle, 112, 200]))).toEqual({
      lowSevere: 1,
      lowMild: 1,
      highMild: 1,
      highSevere: 1,
    });
    expect(countOutliers(Float64Array.from(middle))).toMatchObject({
      lowMild: 0,
      highMild: 0,
      highSevere: 0,
    });
  });
});
