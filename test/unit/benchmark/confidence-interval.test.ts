import { describe, expect, it } from 'vitest';
import { geometricMeanInterval, studentTQuantile } from '../../../src/benchmark/confidence-interval.ts';

describe('studentTQuantile', () => {
  it.each([
    [1, 12.7062],
    [2, 4.30265],
    [3, 3.18245],
    [5, 2.57058],
    [9, 2.26216],
    [10, 2.22814],
    [120, 1.97993],
  ])('agrees with the printed 95 %% table at %i degrees of freedom', (degrees, expected) => {
    expect(studentTQuantile(0.95, degrees)).toBeCloseTo(expected, 4);
  });
});

describe('geometricMeanInterval', () => {
  it('is symmetric on a logarithmic scale', () => {
    const interval = geometricMeanInterval([1, 2, 4], 0.95);
    expect(interval?.estimate).toBeCloseTo(2, 12);
    expect((interval?.upper as number) * (interval?.lower as number)).toBeCloseTo(4, 10);
    expect(interval?.logStddev).toBeCloseTo(Math.log(2), 12);
    expect(Math.log((interval?.upper as number) / 2)).toBeCloseTo((4.30265 * Math.log(2)) / Math.sqrt(3), 4);
  });

  it('has no interval for a single value', () => {
    expect(geometricMeanInterval([2], 0.95)).toBeNull();
  });
});
