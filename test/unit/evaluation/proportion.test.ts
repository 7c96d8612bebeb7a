import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binomialUpperTail,
  clopperPearsonInterval,
  clopperPearsonUpperBound,
} from '../../../src/evaluation/proportion.ts';
import { relativeError, vectors } from './statistics-vectors.ts';

const successesAndTrials = fc
  .integer({ min: 1, max: 5000 })
  .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));

describe('clopperPearsonInterval', () => {
  it('agrees with SciPy from 1 to 100 000 trials', () => {
    for (const { k, n, confidence, lower, upper } of vectors.proportions) {
      const interval = clopperPearsonInterval(k, n, confidence);
      expect(relativeError(interval.lower, lower), `lower ${k}/${n}`).toBeLessThan(1e-11);
      expect(relativeError(interval.upper, upper), `upper ${k}/${n}`).toBeLessThan(1e-11);
    }
  });

  it('knows nothing without trials', () => {
    expect(clopperPearsonInterval(0, 0)).toEqual({ lower: 0, upper: 1, confidence: 0.95 });
  });

  it('contains the observed proportion and stays within 0 and 1', () => {
    fc.assert(
      fc.property(successesAndTrials, ([k, n]) => {
        const { lower, upper } = clopperPearsonInterval(k, n);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(k / n);
        expect(upper).toBeGreaterThanOrEqual(k / n);
      }),
    );
  });

  it('is the mirror image for failures', () => {
    fc.assert(
      fc.property(successesAndTrials, ([k, n]) => {
        const successes = clopperPearsonInterval(k, n);
        const failures = clopperPearsonInterval(n - k, n);
        expect(failures.lower).toBeCloseTo(1 - successes.upper, 11);
        expect(failures.upper).toBeCloseTo(1 - successes.lower, 11);
      }),
    );
  });

  it('widens with the confidence', () => {
    const narrow = clopperPearsonInterval(3, 50, 0.9);
    const wide = clopperPearsonInterval(3, 50, 0.99);
    expect(wide.lower).toBeLessThan(narrow.lower);
    expect(wide.upper).toBeGreaterThan(narrow.upper);
  });

  it('refuses counts that cannot be', () => {
    expect(() => clopperPearsonInterval(2, 1)).toThrow(RangeError);
    expect(() => clopperPearsonInterval(-1, 1)).toThrow(RangeError);
    expect(() => clopperPearsonInterval(0.5, 1)).toThrow(RangeError);
    expect(() => clopperPearsonInterval(1, 2, 1)).toThrow(RangeError);
  });
});

describe('clopperPearsonUpperBound', () => {
  it('agrees with SciPy from 1 to 100 000 trials', () => {
    for (const { k, n, confidence, oneSidedUpper } of vectors.proportions) {
      const bound = clopperPearsonUpperBound(k, n, confidence);
      expect(relativeError(bound, oneSidedUpper), `${k}/${n}`).toBeLessThan(1e-11);
    }
  });

  it.each([
    [0, 100, 2.95],
    [0, 300, 0.99],
    [1, 500, 0.95],
    [5, 1000, 1.05],
  ])('of %i in %i is %f percent at 95 %% confidence', (k, n, percent) => {
    expect(clopperPearsonUpperBound(k, n) * 100).toBeCloseTo(percent, 2);
  });

  it('grows with the successes and shrinks with the trials', () => {
    fc.assert(
      fc.property(successesAndTrials, ([k, n]) => {
        expect(clopperPearsonUpperBound(k, n + 1)).toBeLessThanOrEqual(clopperPearsonUpperBound(k, n));
        expect(clopperPearsonUpperBound(k + 1, n + 1)).toBeGreaterThanOrEqual(clopperPearsonUpperBound(k, n));
      }),
    );
  });
});

describe('binomialUpperTail', () => {
  it('is certain for none or more', () => {
    expect(binomialUpperTail(0, 0, 0.5)).toBe(1);
    expect(binomialUpperTail(0, 10, 0.5)).toBe(1);
  });

  it('equals the sum of its terms', () => {
    // P[X ≥ 2] of three fair coins: 3/8 + 1/8.
    expect(binomialUpperTail(2, 3, 0.5)).toBeCloseTo(0.5, 14);
    expect(binomialUpperTail(3, 3, 0.1)).toBeCloseTo(0.001, 15);
  });
});
