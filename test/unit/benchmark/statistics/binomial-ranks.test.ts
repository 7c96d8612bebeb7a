import { describe, expect, it } from 'vitest';
import { binomialRanks } from '../../../../src/benchmark/statistics/binomial-ranks.ts';

describe('binomialRanks', () => {
  it('agrees with the table of the median, which counts ranks from 1', () => {
    // Sign test, two-sided 5 %: n = 6 → ranks 1 and 6, 10 → 2 and 9, 25 → 8 and 18, 50 → 18 and 33.
    expect(binomialRanks(6, 500, 0.95)).toEqual({ lower: 0, upper: 5 });
    expect(binomialRanks(10, 500, 0.95)).toEqual({ lower: 1, upper: 8 });
    expect(binomialRanks(25, 500, 0.95)).toEqual({ lower: 7, upper: 17 });
    expect(binomialRanks(50, 500, 0.95)).toEqual({ lower: 17, upper: 32 });
  });

  it('has no bound where too few values lie beyond the percentile', () => {
    // 0.99^n > 0.025 up to n = 367: even the largest of so many may lie below the 99th percentile.
    expect(binomialRanks(367, 990, 0.95).upper).toBeNull();
    expect(binomialRanks(368, 990, 0.95).upper).toBe(367);
    expect(binomialRanks(5, 500, 0.95)).toEqual({ lower: null, upper: null });
  });

  it('is the normal approximation for a million values', () => {
    const { lower, upper } = binomialRanks(1_000_000, 990, 0.95);
    const margin = 1.959964 * Math.sqrt(1_000_000 * 0.0099);
    expect(Math.abs((lower as number) - (990_000 - margin))).toBeLessThan(2);
    expect(Math.abs((upper as number) - (990_000 + margin))).toBeLessThan(2);
  });
});
