import { describe, expect, it } from 'vitest';
import type { HostConditions } from '../../../../src/benchmark/host-conditions.ts';
import { toSoakWindow } from '../../../../src/benchmark/soak/soak-window.ts';
import { roundOf } from '../fakes.ts';

const QUIET: HostConditions = {
  onlineCpus: 2,
  thermalThrottles: 0,
  swappedInPages: 0,
  swappedOutPages: 0,
  memoryStallSeconds: 0,
  stealSeconds: 0,
  meanFrequencyHz: null,
  governor: null,
  quotaThrottledPeriods: 0,
  quotaThrottledSeconds: 0,
  oomKills: 0,
};

describe('toSoakWindow', () => {
  it('keeps the figures of a round and nothing of its runs', () => {
    const latencies = Array.from({ length: 200 }, (_, run) => (run + 1) * 1e4);
    const round = roundOf(4, latencies, {
      startNs: 7_000_000_000n,
      cpuSeconds: 2,
      otherCpuSeconds: 0.0201,
      contextSwitches: { voluntary: 3, involuntary: 1 },
    });
    expect(toSoakWindow(round, 2_000_000_000n, 5_000)).toEqual({
      index: 4,
      startSeconds: 5,
      durationSeconds: 0.201,
      queries: 200,
      throughput: expect.closeTo(200 / 0.201, 9),
      p50Seconds: 1.01e-3,
      p99Seconds: 1.99e-3,
      rssBytes: 5_000,
      contextSwitches: { voluntary: 3, involuntary: 1 },
      cpuSeconds: 2,
      otherCpuCores: expect.closeTo(0.1, 9),
      unfinishedQueries: 0,
      disturbances: [],
      complete: true,
    });
  });

  it('speaks of no 99th percentile of fewer than 100 queries, and of no median of none', () => {
    expect(toSoakWindow(roundOf(0, new Array(99).fill(1e6)), 0n, null)).toMatchObject({ p99Seconds: null });
    expect(toSoakWindow(roundOf(0, new Array(100).fill(1e6)), 0n, null)).toMatchObject({ p99Seconds: 1e-3 });
    expect(toSoakWindow(roundOf(0, []), 0n, null)).toMatchObject({ p50Seconds: null, throughput: 0 });
  });

  it('counts the queries of a schedule that were not done, and says what the host did', () => {
    const after = { ...QUIET, oomKills: 1 };
    const round = roundOf(0, [1e6, 1e6], { plannedRuns: 5, conditions: { before: QUIET, after } });
    expect(toSoakWindow(round, 0n, null)).toMatchObject({
      unfinishedQueries: 3,
      disturbances: ['The kernel killed 1 process for lack of memory'],
    });
  });
});
