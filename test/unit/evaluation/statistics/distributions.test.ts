import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalQuantile } from '../../../../src/evaluation/special-functions.ts';
import { normalProbability, studentQuantile } from '../../../../src/evaluation/statistics/distributions.ts';
import { relativeError } from '../statistics-vectors.ts';
import { vectors } from './comparison-vectors.ts';

describe('normalProbability', () => {
  it('agrees with SciPy', () => {
    for (const {
      arguments: [z],
      answer,
    } of vectors.normal) {
      expect(Math.abs(normalProbability(z) - answer), `z = ${z}`).toBeLessThan(1e-15);
    }
  });

  it('is certain far out', () => {
    expect(normalProbability(Number.POSITIVE_INFINITY)).toBe(1);
    expect(normalProbability(-40)).toBe(0);
    expect(() => normalProbability(Number.NaN)).toThrow(RangeError);
  });

  it('undoes normalQuantile', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (p) => {
        expect(relativeError(normalProbability(normalQuantile(p)), p)).toBeLessThan(1e-9);
      }),
    );
  });
});

describe('studentQuantile', () => {
  it('agrees with SciPy from 1 to 100 000 degrees of freedom', () => {
    for (const {
      arguments: [p, degreesOfFreedom],
      answer,
    } of vectors.student) {
      const t = studentQuantile(p, degreesOfFreedom);
      expect(Math.abs(t - answer), `p = ${p}, ν = ${degreesOfFreedom}`).toBeLessThan(
        1e-11 * Math.max(1, Math.abs(t)),
      );
    }
  });

  it('has no value at 0 and 1', () => {
    expect(() => studentQuantile(0, 3)).toThrow(RangeError);
    expect(() => studentQuantile(1, 3)).toThrow(RangeError);
  });
});
