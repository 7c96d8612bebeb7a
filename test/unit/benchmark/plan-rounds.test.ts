import { describe, expect, it } from 'vitest';
import { offlineRunCount, roundSpec } from '../../../src/benchmark/plan-rounds.ts';
import { settingsOf } from './fakes.ts';

const speed = { queriesPerSecond: 400, baseQueriesPerSecond: 200 };

describe('roundSpec', () => {
  it('shares durations and counts out among the rounds', () => {
    const settings = settingsOf({ rounds: 4, minDurationSeconds: 2, minQueries: 10 });
    expect(roundSpec(settings, 3, false, speed)).toEqual({
      index: 3,
      scenario: 'single-stream',
      seed: 4,
      leadInDurationNs: 0,
      load: { kind: 'closed', limits: { minQueries: 3, minDurationNs: 0.5e9, maxDurationNs: 3e9 } },
    });
  });

  it('offers a schedule at the rate that is asked for', () => {
    const settings = settingsOf({ scenario: 'server', ratePerSecond: 50 });
    const { load } = roundSpec(settings, 0, true, speed);
    expect(load).toMatchObject({ kind: 'scheduled', arrivals: { kind: 'poisson', ratePerSecond: 50 } });
  });

  it.each(['server', 'constant-rate'] as const)(
    'offers %s at a share of what the base can do where no rate is asked for, the same for every variant',
    (scenario) => {
      const settings = settingsOf({ scenario, capacityShare: 0.5 });
      expect(roundSpec(settings, 0, true, speed).load).toMatchObject({ arrivals: { ratePerSecond: 100 } });
    },
  );

  it('lets a ramp begin at 0 unless told otherwise', () => {
    const ramp = (more: object) =>
      roundSpec(settingsOf({ scenario: 'ramp', ratePerSecond: 80, ...more }), 0, true, speed).load;
    expect(ramp({})).toMatchObject({ arrivals: { kind: 'ramp', fromPerSecond: 0, toPerSecond: 80 } });
    expect(ramp({ rampFromPerSecond: 20 })).toMatchObject({ arrivals: { fromPerSecond: 20 } });
  });

  it('replays the whole trace in every round', () => {
    const trace = { kind: 'trace', dueNs: Float64Array.of(0, 1e9) } as const;
    const settings = settingsOf({ scenario: 'replay', trace });
    expect(settings).toMatchObject({ rounds: 2, minDurationSeconds: 2, maxDurationSeconds: 12 });
    expect(roundSpec(settings, 0, true, speed).load).toMatchObject({ arrivals: trace, maxDurationNs: 6e9 });
  });
});

describe('offlineRunCount', () => {
  it('is a tenth above the expected rate, and never below the minimum', () => {
    expect(offlineRunCount(1, 2e9, 101)).toBe(223);
    expect(offlineRunCount(500, 2e9, 100)).toBe(500);
    expect(offlineRunCount(0, 1e9, 0.01)).toBe(1);
  });
});
