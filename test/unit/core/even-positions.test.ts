import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evenPositions } from '../../../src/core/even-positions.ts';

describe('evenPositions', () => {
  it('takes all where there are no more than the limit', () => {
    expect([...evenPositions(3, 3)]).toEqual([0, 1, 2]);
    expect([...evenPositions(3, Number.POSITIVE_INFINITY)]).toEqual([0, 1, 2]);
    expect([...evenPositions(0, 5)]).toEqual([]);
  });

  it('takes each position once, at distances that differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.integer({ min: 2, max: 500 }), (count, limit) => {
        const positions = [...evenPositions(count, limit)];
        const distances = positions.slice(1).map((at, i) => at - (positions[i] as number));
        expect(positions).toHaveLength(Math.min(count, limit));
        expect(positions[0]).toBe(0);
        expect(Math.min(...distances)).toBeGreaterThan(0);
        expect(Math.max(...distances) - Math.min(...distances)).toBeLessThanOrEqual(1);
        expect(positions.at(-1)).toBeLessThan(count);
      }),
    );
  });
});
