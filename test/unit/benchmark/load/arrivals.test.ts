import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArrivalProcess, scheduleArrivals } from '../../../../src/benchmark/load/arrivals.ts';

const second = { durationNs: 1e9, minQueries: 1 };

function gapsOf(dueNs: Float64Array): number[] {
  return Array.from(dueNs.subarray(1), (due, index) => due - (dueNs[index] as number));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('scheduleArrivals', () => {
  it('spaces a constant rate evenly, from the start', () => {
    const dueNs = scheduleArrivals({ kind: 'constant', ratePerSecond: 4 }, second, 1);
    expect([...dueNs]).toEqual([0, 250e6, 500e6, 750e6]);
  });

  it('gives a Poisson process the asked rate and exponential gaps', () => {
    const length = { durationNs: 200e9, minQueries: 1 };
    const dueNs = scheduleArrivals({ kind: 'poisson', ratePerSecond: 500 }, length, 3);
    const gaps = gapsOf(dueNs);
    const average = mean(gaps);
    const spread = Math.sqrt(mean(gaps.map((gap) => (gap - average) ** 2)));
    // 100,000 gaps: the mean is within 1 % in all but one case of a thousand, and an exponential spreads as far as its mean.
    expect(average / 2e6).toBeCloseTo(1, 1.5);
    expect(spread / average).toBeCloseTo(1, 1.5);
    expect(mean(gaps.map((gap) => (gap > average ? 1 : 0)))).toBeCloseTo(Math.exp(-1), 1.5);
  });

  it('goes on past the duration until there are enough queries', () => {
    const length = { durationNs: 1e6, minQueries: 50 };
    expect(scheduleArrivals({ kind: 'poisson', ratePerSecond: 10 }, length, 1)).toHaveLength(50);
    expect(scheduleArrivals({ kind: 'constant', ratePerSecond: 10 }, length, 1)).toHaveLength(50);
  });

  it.each([
    [0, 1000],
    [1000, 0],
    [200, 800],
    [500, 500],
  ])('ramps from %i to %i queries a second', (fromPerSecond, toPerSecond) => {
    const length = { durationNs: 100e9, minQueries: 1 };
    const dueNs = scheduleArrivals({ kind: 'ramp', fromPerSecond, toPerSecond }, length, 5);
    const within = (from: number, to: number) =>
      dueNs.filter((due) => due >= from * 1e9 && due < to * 1e9).length;
    const rateAt = (seconds: number) => fromPerSecond + ((toPerSecond - fromPerSecond) * seconds) / 100;
    for (const from of [0, 25, 50, 75]) {
      const expected = 25 * rateAt(from + 12.5);
      // Four standard deviations of a Poisson count.
      expect(Math.abs(within(from, from + 25) - expected)).toBeLessThan(4 * Math.sqrt(expected));
    }
    expect(dueNs.at(-1)).toBeLessThanOrEqual(100e9);
  });

  it('is the same for the same seed and another for another', () => {
    const poisson: ArrivalProcess = { kind: 'poisson', ratePerSecond: 100 };
    expect(scheduleArrivals(poisson, second, 1)).toEqual(scheduleArrivals(poisson, second, 1));
    expect(scheduleArrivals(poisson, second, 1)).not.toEqual(scheduleArrivals(poisson, second, 2));
  });

  it('is never empty and always ascending', () => {
    const rate = fc.double({ min: 1e-3, max: 1e5, noNaN: true });
    const process = fc.oneof(
      fc.record({ kind: fc.constant('poisson' as const), ratePerSecond: rate }),
      fc.record({ kind: fc.constant('constant' as const), ratePerSecond: rate }),
      fc.record({ kind: fc.constant('ramp' as const), fromPerSecond: fc.constant(0), toPerSecond: rate }),
      fc.record({ kind: fc.constant('ramp' as const), fromPerSecond: rate, toPerSecond: fc.constant(0) }),
    );
    fc.assert(
      fc.property(process, fc.integer(), (given, seed) => {
        const dueNs = scheduleArrivals(given, { durationNs: 1e8, minQueries: 3 }, seed);
        expect(dueNs.length).toBeGreaterThan(0);
        expect(gapsOf(dueNs).every((gap) => gap >= 0)).toBe(true);
        expect(dueNs.every(Number.isFinite)).toBe(true);
      }),
    );
  });
});
