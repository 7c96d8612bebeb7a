import { describe, expect, it } from 'vitest';
import { sortedCopy, summarizeLatencies } from '../../../src/benchmark/latency-statistics.ts';
import type { LoadGenerator } from '../../../src/benchmark/load-generator.ts';
import type { RoundLoad, RoundSpec } from '../../../src/benchmark/round.ts';
import { collectRound, type RoundResult } from '../../../src/benchmark/round-result.ts';
import { type RoundProbes, runRound } from '../../../src/benchmark/run-round.ts';
import { ProblemError, problem } from '../../../src/core/problem.ts';
import { virtualSystem } from './fakes.ts';

const limits = { minQueries: 10, minDurationNs: 50_000, maxDurationNs: 1_000_000 };

function specOf(load: RoundLoad, more: Partial<RoundSpec> = {}): RoundSpec {
  return { index: 0, scenario: 'single-stream', seed: 7, leadInDurationNs: 0, load, ...more };
}

async function measured(
  generator: LoadGenerator,
  spec: RoundSpec,
  probes: RoundProbes = {},
): Promise<RoundResult> {
  const chunks: Float64Array[] = [];
  const totals = await runRound(generator, spec, probes, (chunk) => chunks.push(chunk));
  if (!totals.ok) throw new Error(totals.error.message);
  const { samplesPerRun } = generator;
  return collectRound(spec, chunks, totals.value, { samplesPerRun, askedNs: 0n, process: 0 });
}

describe('a closed loop', () => {
  const closed = (given: typeof limits) => specOf({ kind: 'closed', limits: given });

  it('measures the service time of every query exactly', async () => {
    const { generator } = virtualSystem((run) => 1_000 + run);
    const round = await measured(generator, closed(limits));
    expect(round.latencyNs).toEqual(Float64Array.from(round.latencyNs.keys(), (query) => 1_000 + query));
    expect(round.durationNs).toBe(round.latencyNs.reduce((sum, latency) => sum + latency, 0));
    expect(round).toMatchObject({ startNs: 1_000n, plannedRuns: null, complete: true });
    expect(round.serviceNs).toBeUndefined();
  });

  it.each([
    ['both minima, the duration last', { ...limits, minQueries: 10 }, 50],
    ['both minima, the queries last', { ...limits, minQueries: 80 }, 80],
    [
      'the largest duration before the fewest queries',
      { ...limits, minQueries: 80, maxDurationNs: 60_000 },
      60,
    ],
    ['one query where nothing asks for more', { minQueries: 0, minDurationNs: 0, maxDurationNs: 1 }, 1],
  ])('stops at %s', async (_name, given, queries) => {
    const { generator } = virtualSystem(() => 1_000);
    expect((await measured(generator, closed(given))).latencyNs).toHaveLength(queries);
  });

  it('takes the energy from right before the load to right after it, inside of all else that is read', async () => {
    const { generator } = virtualSystem(() => 1_000);
    const order: string[] = [];
    let joules = 100;
    const energy = () => {
      order.push('energy');
      joules += 7;
      return { atNs: BigInt(joules), counters: [{ domain: 'GPU-1', joules }] };
    };
    const cpuSeconds = () => {
      order.push('cpu');
      return 1;
    };
    const watched: LoadGenerator = {
      ...generator,
      run: (...given) => {
        order.push('load');
        return generator.run(...given);
      },
    };
    const round = await measured(watched, closed(limits), { energy, cpuSeconds });
    expect(order).toEqual(['cpu', 'energy', 'load', 'energy', 'cpu']);
    expect(round.energy).toMatchObject({ joules: 7, joulesByDomain: { 'GPU-1': 7 } });
    const unread = await measured(watched, closed(limits), { energy: () => undefined });
    expect(unread.energy).toBeUndefined();
  });

  it('uses every sample equally often, in the same order for the same seed', async () => {
    const spec = closed({ ...limits, minDurationNs: 40_000 });
    const first = virtualSystem(() => 1_000);
    const second = virtualSystem(() => 1_000);
    await measured(first.generator, spec);
    await measured(second.generator, spec);
    expect(first.issued).toEqual(second.issued);
    expect([0, 1, 2, 3].map((sample) => first.issued.filter((one) => one === sample).length)).toEqual([
      10, 10, 10, 10,
    ]);
  });

  it('shows a single stall in the maximum and the 99th percentile and leaves the median alone', async () => {
    const { generator } = virtualSystem((run) => (run === 57 ? 900_000 : 1_000));
    const given = { minQueries: 100, minDurationNs: 0, maxDurationNs: 1e9 };
    const { latencyNs } = await measured(generator, closed(given));
    const summary = summarizeLatencies(sortedCopy(latencyNs));
    expect(summary).toMatchObject({ max: 900e-6, p99: 900e-6, p50: 1e-6, p95: 1e-6 });
  });

  it('leaves the lead-in out of the measurement and the CPU time', async () => {
    const { generator, issued } = virtualSystem((run) => (run < 5 ? 3_000 : 1_000));
    const cpuSeconds = () => issued.length / 10;
    const spec = { ...closed(limits), leadInDurationNs: 15_000 };
    const round = await measured(generator, spec, { cpuSeconds, otherCpuSeconds: () => undefined });
    expect(Math.max(...round.latencyNs)).toBe(1_000);
    expect(round.cpuSeconds).toBeCloseTo(5, 12);
    expect(round.otherCpuSeconds).toBeUndefined();
  });

  it('keeps outputs of what is measured to be checked, and none of the lead-in', async () => {
    const { generator } = virtualSystem(() => 1_000);
    const kept: (boolean | undefined)[] = [];
    const watched: LoadGenerator = {
      ...generator,
      run: (plan, onRuns, options) => {
        kept.push(options?.keepOutputs);
        return generator.run(plan, onRuns, options);
      },
    };
    await measured(watched, { ...closed(limits), leadInDurationNs: 5_000 });
    expect(kept).toEqual([undefined, true]);
  });

  it('returns the problem of a query that the runtime refused, after the runs before it', async () => {
    const { generator } = virtualSystem((run) => {
      if (run === 3) throw new ProblemError(problem('inference-failed', 'Bad feed'));
      return 1_000;
    });
    const chunks: Float64Array[] = [];
    const spec = closed(limits);
    const answer = await runRound(generator, spec, {}, (chunk) => chunks.push(chunk));
    expect(answer).toMatchObject({ ok: false, error: { kind: 'inference-failed' } });
    const partial = collectRound(spec, chunks, undefined, { samplesPerRun: 1, askedNs: 5n, process: 0 });
    expect(partial).toMatchObject({ samples: 3, durationNs: 3_000, startNs: 5n, complete: false });
  });
});

describe('multi-stream', () => {
  const spec = specOf({ kind: 'grouped', samplesPerQuery: 8, limits }, { scenario: 'multi-stream' });

  it('takes a query to be as slow as the last of its samples', async () => {
    const { generator } = virtualSystem((run) => (run === 3 ? 5_000 : 1_000));
    const round = await measured(generator, spec);
    expect(round.latencyNs).toEqual(
      Float64Array.from(round.latencyNs.keys(), (q) => (q === 0 ? 12_000 : 8_000)),
    );
    expect(round).toMatchObject({ samples: 80, durationNs: 84_000 });
  });

  it('takes as many runs for a query as its samples need batches', async () => {
    const { generator } = virtualSystem(() => 1_000, 3);
    const round = await measured(generator, spec);
    expect(round.latencyNs[0]).toBe(3_000);
    expect(round.samples).toBe(round.latencyNs.length * 9);
  });
});

describe('offline', () => {
  const spec = specOf({ kind: 'at-once', runCount: 25, maxDurationNs: 1e9 }, { scenario: 'offline' });

  it('works through its one query and counts samples by the batch', async () => {
    const { generator } = virtualSystem(() => 2_000, 8);
    expect(await measured(generator, spec)).toMatchObject({
      scenario: 'offline',
      samples: 200,
      durationNs: 50_000,
      plannedRuns: 25,
    });
  });

  it('stops at the largest duration with what is done', async () => {
    const { generator } = virtualSystem(() => 2_000);
    const load = { kind: 'at-once', runCount: 25, maxDurationNs: 20_000 } as const;
    expect(await measured(generator, specOf(load))).toMatchObject({ samples: 10, durationNs: 20_000 });
  });
});

describe('a schedule', () => {
  const every = (gapNs: number, queries: number, more: Partial<RoundSpec> = {}) =>
    specOf(
      {
        kind: 'scheduled',
        arrivals: { kind: 'constant', ratePerSecond: 1e9 / gapNs },
        length: { durationNs: gapNs * queries, minQueries: 1 },
        maxDurationNs: 1e12,
      },
      { scenario: 'constant-rate', ...more },
    );

  it('counts the time that a query had to wait: a stall shows in all that were due meanwhile', async () => {
    // No coordinated omission: 100 queries a millisecond apart, of which the system lets the 50th take 20 ms.
    const { generator } = virtualSystem((run) => (run === 50 ? 20e6 : 0.1e6));
    const { latencyNs, serviceNs } = await measured(generator, every(1e6, 100));
    const late = latencyNs.filter((latency) => latency > 0.5e6);
    expect(late.length).toBe(22);
    expect(Math.max(...(serviceNs as Float64Array).subarray(51))).toBe(0.1e6);
    const summary = summarizeLatencies(sortedCopy(latencyNs));
    expect(summary?.p99).toBeGreaterThan(0.019);
    expect(summary?.p90).toBeGreaterThan(0.009);
  });

  it('says how many of its queries were not done when the time was up', async () => {
    const { generator } = virtualSystem(() => 2_000);
    const spec = every(1_000, 100);
    const cut = { ...spec, load: { ...spec.load, maxDurationNs: 50_000 } as RoundLoad };
    const round = await measured(generator, cut);
    expect(round.plannedRuns).toBe(100);
    expect(round.runs.run).toHaveLength(25);
  });

  it('replays the samples of a trace, in turn where it names more than there are', async () => {
    const { generator, issued } = virtualSystem(() => 10);
    const arrivals = {
      kind: 'trace',
      dueNs: Float64Array.of(0, 100, 5_000),
      samples: Uint32Array.of(2, 5, 0),
    } as const;
    const load = {
      kind: 'scheduled',
      arrivals,
      length: { durationNs: 1, minQueries: 1 },
      maxDurationNs: 1e9,
    } as const;
    const round = await measured(generator, specOf(load, { scenario: 'replay' }));
    expect(issued).toEqual([2, 1, 0]);
    expect([...round.runs.startNs]).toEqual([0, 100, 5_000]);
  });
});
