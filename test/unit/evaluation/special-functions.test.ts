import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  incompleteBeta,
  inverseIncompleteBeta,
  normalQuantile,
} from '../../../src/evaluation/special-functions.ts';
import { relativeError, vectors } from './statistics-vectors.ts';

describe('incompleteBeta', () => {
  it.each(vectors.incompleteBeta)('agrees with SciPy at x = $x, a = $a, b = $b', ({ a, b, x, p }) => {
    expect(relativeError(incompleteBeta(x, a, b), p)).toBeLessThan(1e-12);
  });

  it('is 0 and 1 at the ends', () => {
    expect(incompleteBeta(0, 2, 3)).toBe(0);
    expect(incompleteBeta(1, 2, 3)).toBe(1);
  });

  it('is symmetric: I_x(a, b) = 1 − I_{1−x}(b, a)', () => {
    const shape = fc.double({ min: 0.2, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), shape, shape, (x, a, b) => {
        expect(incompleteBeta(x, a, b)).toBeCloseTo(1 - incompleteBeta(1 - x, b, a), 9);
      }),
    );
  });

  it('refuses arguments outside its domain', () => {
    expect(() => incompleteBeta(-0.1, 1, 1)).toThrow(RangeError);
    expect(() => incompleteBeta(0.5, 0, 1)).toThrow(RangeError);
    expect(() => incompleteBeta(Number.NaN, 1, 1)).toThrow(RangeError);
  });
});

describe('inverseIncompleteBeta', () => {
  it.each(vectors.inverseIncompleteBeta)('agrees with SciPy at p = $p, a = $a, b = $b', ({ a, b, p, x }) => {
    expect(relativeError(inverseIncompleteBeta(p, a, b), x)).toBeLessThan(1e-11);
  });

  it('undoes incompleteBeta', () => {
    const shape = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), shape, shape, (p, a, b) => {
        expect(relativeError(incompleteBeta(inverseIncompleteBeta(p, a, b), a, b), p)).toBeLessThan(1e-9);
      }),
    );
  });
});

describe('normalQuantile', () => {
  it.each(vectors.normalQuantile)('agrees with SciPy at p = $p', ({ p, z }) => {
    expect(relativeError(normalQuantile(p), z)).toBeLessThan(1e-13);
  });

  it('has no value at 0 and 1', () => {
    expect(() => normalQuantile(0)).toThrow(RangeError);
    expect(() => normalQuantile(1)).toThrow(RangeError);
  });
});
