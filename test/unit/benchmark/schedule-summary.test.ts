import { describe, expect, it } from 'vitest';
import { summarizeSchedule } from '../../../src/benchmark/schedule-summary.ts';
import { roundOf } from './fakes.ts';

/** A round of queries that come every millisecond and take `serviceNs` on one lane. */
function scheduled(index: number, queries: number, serviceNs: number, lagNs = 0) {
  const column = (of: (query: number) => number) =>
    Float64Array.from({ length: queries }, (_, query) => of(query));
  const dueNs = column((query) => query * 1e6);
  let freeNs = 0;
  const readyNs = column(() => 0);
  const startNs = column(() => 0);
  const doneNs = column((query) => {
    readyNs[query] = freeNs;
    startNs[query] = Math.max(dueNs[query] as number, freeNs) + lagNs;
    freeNs = (startNs[query] as number) + serviceNs;
    return freeNs;
  });
  const runs = { run: column((query) => query), dueNs, readyNs, startNs, doneNs };
  return roundOf(index, [], { scenario: 'constant-rate', runs });
}

describe('summarizeSchedule', () => {
  it('tells the rates of rounds apart from how well the generator kept to them', () => {
    const rounds = [scheduled(0, 400, 0.5e6), scheduled(1, 400, 0.5e6)];
    expect(summarizeSchedule(rounds, 'constant-rate')).toMatchObject({
      offeredPerSecond: expect.closeTo(1000, 6),
      achievedPerSecond: expect.closeTo(998.7, 0),
      lagSeconds: { p50: 0, p99: 0, max: 0 },
      lateRatio: 0,
      saturated: false,
      problems: [],
    });
  });

  it('finds that the system does not keep up in one of the rounds', () => {
    const rounds = [scheduled(0, 400, 0.5e6), scheduled(1, 400, 1.25e6)];
    const summary = summarizeSchedule(rounds, 'constant-rate');
    expect(summary).toMatchObject({ saturated: true, backlogGrowthPerSecond: expect.closeTo(200, -1) });
    expect(summary?.problems).toEqual([expect.stringMatching(/^Saturated: 1\.00e\+3 queries a second came/)]);
  });

  it('does not take a ramp for saturation', () => {
    expect(summarizeSchedule([scheduled(0, 400, 1.25e6)], 'ramp')).toMatchObject({
      saturated: null,
      problems: [],
    });
  });

  it('says so where the generator itself was late', () => {
    const summary = summarizeSchedule([scheduled(0, 400, 0.1e6, 0.4e6)], 'constant-rate');
    expect(summary?.lagSeconds.p50).toBeCloseTo(0.0004, 9);
    expect(summary?.problems).toEqual([expect.stringMatching(/lag of the load generator/)]);
  });

  it.each(['single-stream', 'closed-loop', 'offline'] as const)('has nothing to say of %s', (scenario) => {
    expect(summarizeSchedule([scheduled(0, 400, 1)], scenario)).toBeNull();
  });
});
