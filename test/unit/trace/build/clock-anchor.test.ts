import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anchorRuns } from '../../../../src/trace/build/clock-anchor.ts';

/** Runs by a profile in microseconds, and by the caller in nanoseconds. */
function anchor(
  profile: readonly (readonly [number, number])[],
  calls: readonly (readonly [number, number])[],
): readonly number[] {
  return [
    ...anchorRuns(
      { startsNs: calls.map(([startNs]) => startNs), endsNs: calls.map(([, endNs]) => endNs) },
      {
        startsUs: Float64Array.from(profile, ([startUs]) => startUs),
        durationsUs: Float64Array.from(profile, ([, durationUs]) => durationUs),
      },
      profile.map((_, row) => row),
    ),
  ];
}

describe('where a profile begins', () => {
  it('is the middle of what all runs allow', () => {
    const profile = [
      [1000, 50],
      [1100, 50],
    ] as const;
    // 500 000 ns behind: the first allows 10 us before and 30 us behind, the second 20 us and 2 us.
    const calls = [
      [1_490_000, 1_580_000],
      [1_580_000, 1_652_000],
    ] as const;
    expect(anchor(profile, calls)).toEqual([496_000, 496_000]);
  });

  it('is moved run by run where the clocks drift apart', () => {
    const profile = [0, 1000, 2000, 3000].map((startUs) => [startUs, 500] as const);
    // Every run lies 100 us farther, and is known to 20 us.
    const calls = [0, 1, 2, 3].map((run) => [run * 1_100_000 - 10_000, run * 1_100_000 + 510_000] as const);
    const offsets = anchor(profile, calls);
    for (const [run, offset] of offsets.entries()) {
      expect(Math.abs(offset - run * 100_000)).toBeLessThanOrEqual(11_000);
    }
  });

  it('is the middle for the others where the clock was set once', () => {
    const profile = [0, 1000, 2000, 3000, 1_004_000].map((startUs) => [startUs, 500] as const);
    const calls = [0, 1, 2, 3, 4].map((run) => [run * 1e6 - 10_000, run * 1e6 + 510_000] as const);
    expect(anchor(profile, calls).slice(0, 4)).toEqual([0, 0, 0, 0]);
  });

  it('is where the call began, for a run that the runtime says took longer than the call', () => {
    expect(anchor([[10, 100]], [[1_000_000, 1_050_000]])).toEqual([989_000]);
  });

  it('is known for the runs that both know', () => {
    expect(
      anchor(
        [[0, 5]],
        [
          [0, 5000],
          [9000, 9500],
        ],
      ),
    ).toHaveLength(1);
    expect(
      anchor(
        [
          [0, 5],
          [9, 3],
        ],
        [[0, 5000]],
      ),
    ).toHaveLength(1);
    expect(anchor([], [])).toEqual([]);
  });

  it('lets every run lie in its call, give or take the rounding', () => {
    const run = fc.record({
      gapNs: fc.nat(100_000),
      beforeNs: fc.nat(20_000),
      lengthNs: fc.nat(1_000_000),
      afterNs: fc.nat(20_000),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1 }), fc.integer({ min: -1e12, max: 1e12 }), (runs, zeroNs) => {
        let atNs = 5_000_000;
        const profile: [number, number][] = [];
        const calls: [number, number][] = [];
        for (const { gapNs, beforeNs, lengthNs, afterNs } of runs) {
          const startNs = atNs + gapNs + beforeNs;
          profile.push([Math.floor(startNs / 1000), Math.floor(lengthNs / 1000)]);
          calls.push([zeroNs + atNs + gapNs, zeroNs + startNs + lengthNs + afterNs]);
          atNs = startNs + lengthNs + afterNs;
        }
        for (const [index, offset] of anchor(profile, calls).entries()) {
          const [startUs, durationUs] = profile[index] as [number, number];
          const [callNs, returnNs] = calls[index] as [number, number];
          expect(offset + startUs * 1000).toBeGreaterThanOrEqual(callNs - 1001);
          expect(offset + (startUs + durationUs) * 1000).toBeLessThanOrEqual(returnNs + 1001);
        }
      }),
    );
  });
});
