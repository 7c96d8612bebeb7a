import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearAxis, logAxis } from '../../../src/cli/figure-axis.ts';

const range = fc
  .tuple(fc.double({ min: 1e-9, max: 1e4, noNaN: true }), fc.double({ min: 1, max: 1e6, noNaN: true }))
  .map(([low, factor]) => [low, low * factor] as const);

describe('linearAxis', () => {
  it('ends at a round value, with as many round steps as can be read', () => {
    expect(linearAxis(0, 0.0037, 100).ticks.map((tick) => Number(tick.toPrecision(6)))).toEqual([
      0, 0.001, 0.002, 0.003, 0.004,
    ]);
    const { place } = linearAxis(0, 0.004, 100);
    expect([place(0), place(0.002), place(0.004)]).toEqual([100, 50, 0]);
  });

  it('keeps every value of its range within its height', () => {
    fc.assert(
      fc.property(range, ([, high]) => {
        const { place, ticks } = linearAxis(0, high, 200);
        expect(place(high)).toBeGreaterThanOrEqual(-1e-6);
        expect(place(0)).toBeCloseTo(200, 6);
        expect(ticks.length).toBeLessThanOrEqual(8);
      }),
    );
  });
});

describe('logAxis', () => {
  it('gives equal ratios equal room', () => {
    const { place } = logAxis(1, 100, 200);
    expect([place(1), place(10), place(100)].map(Math.round)).toEqual([200, 100, 0]);
  });

  it('has readable ticks within any range, and room where all values are one', () => {
    fc.assert(
      fc.property(range, ([low, high]) => {
        const { ticks, place } = logAxis(low, high, 200);
        expect(ticks.length).toBeLessThanOrEqual(9);
        for (const tick of ticks) {
          expect(place(tick)).toBeGreaterThanOrEqual(-1e-6);
          expect(place(tick)).toBeLessThanOrEqual(200 + 1e-6);
        }
      }),
    );
    expect(Number.isFinite(logAxis(3, 3, 200).place(3))).toBe(true);
  });

  it('shows as many values of each power of ten as there is room for', () => {
    expect(logAxis(0.9, 22, 100).ticks).toEqual([1, 2, 3, 5, 7, 10, 20]);
    expect(logAxis(0.9, 45, 100).ticks).toEqual([1, 2, 5, 10, 20]);
    expect(logAxis(0.95, 2.2, 100).ticks).toEqual([1, 1.5, 2]);
  });
});
