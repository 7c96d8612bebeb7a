import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import { detectSaturation } from '../../../../src/benchmark/statistics/saturation.ts';
import { exponential, simulateMm1, simulateQueue } from '../../../support/simulate-queue.ts';

/** How many of the runs of an M/M/1 queue are called saturated. */
function saturatedRuns(rho: number, queries: number, runs: number): number {
  const random = seededRandom(1);
  let found = 0;
  for (let run = 0; run < runs; run++) {
    if (detectSaturation(simulateMm1(random, rho, queries)).saturated) found += 1;
  }
  return found;
}

/** A steady run of 1 ms gaps and 0.5 ms services, one of which takes a second. */
function runWithStall(stalledQuery: number) {
  let query = 0;
  return simulateQueue({
    queries: 5_000,
    gapNs: () => 1e6,
    serviceNs: () => (query++ === stalledQuery ? 1e9 : 5e5),
  });
}

describe('detectSaturation', () => {
  it.each([0.5, 0.8, 0.9])(
    'does not call a queue at %d of its capacity saturated more often than it says',
    (rho) => {
      for (const queries of [200, 2_000]) expect(saturatedRuns(rho, queries, 200)).toBeLessThanOrEqual(5);
    },
  );

  it('stays near 5 % at capacity exactly', () => {
    expect(saturatedRuns(1, 1_000, 400)).toBeLessThanOrEqual(34);
  });

  it.each([
    [1.05, 20_000],
    [1.2, 2_000],
    [2, 300],
  ])('finds a queue at %d times its capacity in %i queries', (rho, queries) => {
    expect(saturatedRuns(rho, queries, 30)).toBeGreaterThanOrEqual(29);
  });

  it('goes by all lanes together', () => {
    const random = seededRandom(2);
    const runAt = (rho: number) =>
      simulateQueue({
        queries: 5_000,
        lanes: 4,
        gapNs: exponential(random, 1e6 / (4 * rho)),
        serviceNs: exponential(random, 1e6),
      });
    expect(detectSaturation(runAt(0.8)).saturated).toBe(false);
    expect(detectSaturation(runAt(1.2)).saturated).toBe(true);
  });

  it('counts queries that overtook others', () => {
    const found = detectSaturation({
      dueNs: Float64Array.of(0, 100, 200),
      doneNs: Float64Array.of(1_000, 150, 250),
    });
    expect(found).toMatchObject({ finalBacklog: 2, drainNs: 800 });
  });

  it('tells growth and drain of a steady overload', () => {
    // Every millisecond a query comes and takes 2 ms: half of them are left over.
    const times = simulateQueue({ queries: 1_001, gapNs: () => 1e6, serviceNs: () => 2e6 });
    const found = detectSaturation(times);
    expect(found).toMatchObject({ saturated: true, finalBacklog: 501, drainNs: 1_002e6 });
    expect(found.growthPerSecond).toBeCloseTo(500, -1);
    expect(found.growthLowerBoundPerSecond).toBeGreaterThan(450);
  });

  it.each([100, 2_500, 4_990])('does not take a stall at query %i for growth', (stalledQuery) => {
    expect(detectSaturation(runWithStall(stalledQuery)).saturated).toBe(false);
  });

  it('does not speak of a growth below ten queries, however steady', () => {
    // Latency creeps up by 8 ms, so that eight queries more are under way at the end.
    const dueNs = Float64Array.from({ length: 1_000 }, (_, i) => i * 1e6);
    const doneNs = dueNs.map((due, i) => due + 5e5 + i * 8e3);
    const found = detectSaturation({ dueNs, doneNs });
    expect(found.growthLowerBoundPerSecond).toBeGreaterThan(0);
    expect(found.saturated).toBe(false);
  });

  it('says nothing of runs too short, without length or empty', () => {
    const short = simulateMm1(seededRandom(3), 2, 99);
    expect(detectSaturation(short)).toMatchObject({ saturated: null, growthPerSecond: null });
    expect(detectSaturation(short).finalBacklog).toBeGreaterThan(0);
    const atOnce = {
      dueNs: new Float64Array(500),
      doneNs: Float64Array.from({ length: 500 }, (_, i) => i + 1),
    };
    expect(detectSaturation(atOnce)).toMatchObject({ saturated: null, finalBacklog: 500, drainNs: 500 });
    const none = { dueNs: new Float64Array(0), doneNs: new Float64Array(0) };
    expect(detectSaturation(none)).toMatchObject({ saturated: null, finalBacklog: 0, drainNs: 0 });
  });
});
