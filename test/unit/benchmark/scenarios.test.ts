import { describe, expect, it } from 'vitest';
import { sortedCopy, summarizeLatencies } from '../../../src/benchmark/latency-statistics.ts';
import { offlineRunCount } from '../../../src/benchmark/offline.ts';
import type { RoundContext, RoundResult, RoundSpec } from '../../../src/benchmark/round.ts';
import { runRound } from '../../../src/benchmark/scenarios.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { ProblemError, problem } from '../../../src/core/problem.ts';
import { virtualSystem } from './fakes.ts';

const base = { index: 0, seed: 7, leadInDurationNs: 0 };
const limits = { minQueries: 10, minDurationNs: 50_000, maxDurationNs: 1_000_000 };

async function measured(context: RoundContext, spec: RoundSpec): Promise<RoundResult> {
  const result = await runRound(context, spec);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

describe('single-stream', () => {
  it('measures the service time of every query exactly', async () => {
    const { context } = virtualSystem((query) => 1_000 + query);
    const round = await measured(context, { ...base, scenario: 'single-stream', limits });
    expect(round.latencyNs).toEqual(Float64Array.from(round.latencyNs.keys(), (query) => 1_000 + query));
    expect(round.durationNs).toBe(round.latencyNs.reduce((sum, latency) => sum + latency, 0));
    expect(round.startNs).toBe(1_000n);
  });

  it.each([
    ['both minima, the duration last', { ...limits, minQueries: 10 }, 50],
    ['both minima, the queries last', { ...limits, minQueries: 80 }, 80],
    [
      'the largest duration before the fewest queries',
      { ...limits, minQueries: 80, maxDurationNs: 60_000 },
      60,
    ],
    ['the most queries before the least duration', { ...limits, maxQueries: 20 }, 20],
    ['one query where nothing asks for more', { minQueries: 0, minDurationNs: 0, maxDurationNs: 1 }, 1],
  ])('stops at %s', async (_name, given, queries) => {
    const { context } = virtualSystem(() => 1_000);
    const round = await measured(context, { ...base, scenario: 'single-stream', limits: given });
    expect(round.latencyNs).toHaveLength(queries);
  });

  it('uses every sample equally often, in the same order for the same seed', async () => {
    const spec = {
      ...base,
      scenario: 'single-stream',
      limits: { ...limits, minDurationNs: 40_000 },
    } as const;
    const first = virtualSystem(() => 1_000);
    const second = virtualSystem(() => 1_000);
    await measured(first.context, spec);
    await measured(second.context, spec);
    expect(first.issued).toEqual(second.issued);
    expect([0, 1, 2, 3].map((sample) => first.issued.filter((one) => one === sample).length)).toEqual([
      10, 10, 10, 10,
    ]);
  });

  it('shows a single stall in the maximum and the 99th percentile and leaves the median alone', async () => {
    const { context } = virtualSystem((query) => (query === 57 ? 900_000 : 1_000));
    const given = { minQueries: 100, minDurationNs: 0, maxDurationNs: 1e9 };
    const round = await measured(context, { ...base, scenario: 'single-stream', limits: given });
    const summary = summarizeLatencies(sortedCopy(round.latencyNs));
    expect(summary).toMatchObject({ max: 900e-6, p99: 900e-6, p50: 1e-6, p95: 1e-6 });
  });

  it('keeps more latencies than its first buffer holds', async () => {
    const { context } = virtualSystem((query) => 100 + query);
    const given = { minQueries: 10_000, minDurationNs: 0, maxDurationNs: 1e12 };
    const round = await measured(context, { ...base, scenario: 'single-stream', limits: given });
    expect(round.latencyNs).toHaveLength(10_000);
    expect([round.latencyNs[0], round.latencyNs[4_095], round.latencyNs[9_999]]).toEqual([
      100, 4_195, 10_099,
    ]);
  });

  it('leaves the lead-in out of the measurement and the CPU time', async () => {
    const { context, issued } = virtualSystem((query) => (query < 5 ? 3_000 : 1_000));
    let cpuReadings = 0;
    const cpuSeconds = () => {
      cpuReadings += 1;
      return issued.length / 10;
    };
    const spec = { ...base, scenario: 'single-stream', limits, leadInDurationNs: 15_000 } as const;
    const round = await measured({ ...context, cpuSeconds }, spec);
    expect(Math.max(...round.latencyNs)).toBe(1_000);
    expect(cpuReadings).toBe(2);
    expect(round.cpuSeconds).toBeCloseTo(5, 12);
  });

  it('returns the problem of a query that the runtime refused', async () => {
    const { context } = virtualSystem((query) => {
      if (query === 3) throw new ProblemError(problem('model-run-failed', 'Bad feed'));
      return 1_000;
    });
    const result = await runRound(context, { ...base, scenario: 'single-stream', limits });
    expect(result).toMatchObject({ ok: false, error: { kind: 'model-run-failed' } });
  });

  it('adds at most 3 µs to the median of a bare call', async () => {
    let answered = 0;
    const sut = {
      sampleCount: 1,
      samplesPerRun: 1,
      run: async () => {
        answered += 1;
      },
    };
    const given = { minQueries: 20_000, minDurationNs: 0, maxDurationNs: 5e9 };
    const context = { sut, nowNs: systemClock.nowNs };
    const round = await measured(context, { ...base, scenario: 'single-stream', limits: given });
    expect(answered).toBe(round.latencyNs.length);
    const p50 = summarizeLatencies(sortedCopy(round.latencyNs))?.p50;
    expect(p50).toBeLessThanOrEqual(3e-6);
  });
});

describe('offline', () => {
  const spec = { ...base, scenario: 'offline', runCount: 25, maxDurationNs: 1e9 } as const;

  it('works through its one query and counts samples by the batch', async () => {
    const { context } = virtualSystem(() => 2_000, 8);
    const round = await measured(context, spec);
    expect(round).toMatchObject({ scenario: 'offline', samples: 200, durationNs: 50_000 });
  });

  it('stops at the largest duration with what is done', async () => {
    const { context } = virtualSystem(() => 2_000);
    const round = await measured(context, { ...spec, maxDurationNs: 20_000 });
    expect(round).toMatchObject({ samples: 10, durationNs: 20_000 });
  });

  it('sizes its query a tenth above the expected rate, and never below the minimum', () => {
    expect(offlineRunCount(1, 2e9, 101)).toBe(223);
    expect(offlineRunCount(500, 2e9, 100)).toBe(500);
    expect(offlineRunCount(0, 1e9, 0.01)).toBe(1);
  });
});
