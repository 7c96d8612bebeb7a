import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundHalfEven } from '../../../src/quantization/round-half-even.ts';

/** The definition, slowly: the nearer neighbour, and of two equally near ones the even one. */
function exact(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [254.5, 254],
    [127.5, 128],
    [0.49999999999999994, 0],
    [2.5000000000000004, 3],
    [-3.2, -3],
    [1e9 + 0.5, 1e9],
  ])('rounds %d to %d', (value, rounded) => {
    expect(roundHalfEven(value)).toBeCloseTo(rounded, 12);
  });

  it('agrees with the definition for any value and for every tie', () => {
    const limit = 2 ** 50;
    const any = fc.double({ min: -limit, max: limit, noNaN: true });
    const tie = fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).map((whole) => whole + 0.5);
    fc.assert(fc.property(fc.oneof(any, tie), (value) => roundHalfEven(value) - exact(value) === 0));
  });

  it('lets infinity and NaN through', () => {
    expect(roundHalfEven(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(roundHalfEven(Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY);
    expect(roundHalfEven(Number.NaN)).toBeNaN();
  });
});
