import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import { scheduleFidelity } from '../../../../src/benchmark/statistics/schedule-fidelity.ts';
import { exponential, simulateMm1, simulateQueue } from '../../../support/simulate-queue.ts';

/** A query every 10 ms that takes 4 ms, called as late as `lagNs` says. */
function steadyRun(lagNs: (query: number) => number, queries = 1_000) {
  let query = 0;
  return simulateQueue({ queries, gapNs: () => 1e7, serviceNs: () => 4e6, lagNs: () => lagNs(query++) });
}

describe('scheduleFidelity', () => {
  it('finds a run faithful whose queries wait for the system alone', () => {
    const overloaded = simulateMm1(seededRandom(1), 1.5, 2_000);
    expect(scheduleFidelity(overloaded)).toMatchObject({
      faithful: true,
      reasons: [],
      queries: 2_000,
      lagMaxNs: 0,
      lateShare: 0,
    });
  });

  it('counts lag from when a query was due and a lane ready', () => {
    const times = {
      dueNs: Float64Array.of(0, 10, 20),
      readyNs: Float64Array.of(0, 30, 15),
      startNs: Float64Array.of(2, 31, 25),
      doneNs: Float64Array.of(29, 60, 50),
    };
    expect(scheduleFidelity(times)).toMatchObject({ lagP50Ns: 2, lagMaxNs: 5, lagP99Ns: null });
  });

  it('gives percentiles of the lag', () => {
    const fidelity = scheduleFidelity(steadyRun((query) => query));
    expect(fidelity).toMatchObject({ lagP50Ns: 500, lagP99Ns: 990, lagMaxNs: 999, faithful: true });
  });

  it('bears a late query in a hundred and says so beyond', () => {
    const bearable = scheduleFidelity(steadyRun((query) => (query % 100 === 0 ? 3e6 : 0)));
    expect(bearable).toMatchObject({ faithful: true, lateShare: 0.01, lagMaxNs: 3e6 });
    const late = scheduleFidelity(steadyRun((query) => (query % 50 === 0 ? 3e6 : 0)));
    expect(late).toMatchObject({ faithful: false, lateShare: 0.02 });
    expect(late.reasons).toEqual([
      'The load generator called 2.0 % of the queries more than 1 ms late (by 3.00 ms at worst), ' +
        'although they were due and a lane was ready',
    ]);
  });

  it('does not bear a lag below 1 ms that makes up much of the response', () => {
    const fidelity = scheduleFidelity(steadyRun(() => 4e5));
    expect(fidelity).toMatchObject({ faithful: false, lateShare: 0 });
    expect(fidelity.lagShareOfResponse).toBeCloseTo(0.4 / 4.4, 6);
    expect(fidelity.reasons).toEqual([
      '9.1 % of the mean response time is lag of the load generator (400 µs a query)',
    ]);
  });

  it('does not believe times that do not belong together', () => {
    const times = steadyRun((query) => (query === 7 ? -1_000 : 0));
    expect(scheduleFidelity(times).lagShareOfResponse).toBe(0);
    expect(scheduleFidelity(times).reasons).toEqual([
      '1 of 1000 queries were called before they were due or before a lane was ready: ' +
        'their times do not belong together',
    ]);
  });

  it('tells the rate of the schedule and the rate achieved', () => {
    const overloaded = simulateQueue({ queries: 101, gapNs: () => 1e6, serviceNs: () => 2e6 });
    const { offeredRate, achievedRate } = scheduleFidelity(overloaded);
    expect(offeredRate).toBeCloseTo(1_000, 6);
    // 100 completions in 203 ms: the first query came after 1 ms.
    expect(achievedRate).toBeCloseTo(100 / 0.203, 6);
  });

  it('goes by the last completion, whichever query it is', () => {
    const random = seededRandom(4);
    const times = simulateQueue({
      queries: 50,
      lanes: 4,
      gapNs: exponential(random, 1e6),
      serviceNs: exponential(random, 4e6),
    });
    const lastNs = Math.max(...times.doneNs);
    expect(lastNs).toBeGreaterThan(times.doneNs[49] as number);
    expect(scheduleFidelity(times).achievedRate).toBeCloseTo((49 * 1e9) / lastNs, 6);
  });

  it('has no rates for a single query, for none, or for a schedule without length', () => {
    expect(scheduleFidelity(steadyRun(() => 0, 1))).toMatchObject({ offeredRate: null, achievedRate: null });
    expect(scheduleFidelity(steadyRun(() => 0, 0))).toMatchObject({
      faithful: true,
      queries: 0,
      lagMaxNs: null,
      offeredRate: null,
    });
    const atOnce = simulateQueue({ queries: 3, gapNs: () => 0, serviceNs: () => 1e9 });
    expect(scheduleFidelity(atOnce).offeredRate).toBeNull();
    expect(scheduleFidelity(atOnce).achievedRate).toBeCloseTo(2 / 3, 12);
  });
});
