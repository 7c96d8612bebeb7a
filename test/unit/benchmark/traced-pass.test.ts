import { describe, expect, it } from 'vitest';
import type { RoundLoad } from '../../../src/benchmark/round.ts';
import { runTracedPass } from '../../../src/benchmark/traced-pass.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { ProblemError, problem } from '../../../src/core/problem.ts';
import { unwrap } from '../../support/unwrap.ts';
import { virtualSystem } from './fakes.ts';

/** A system whose calls take longer while they are traced, and by and by longer for every reason. */
function system({ traced = 1_100_000, untraced = 1_000_000, drift = 0 } = {}) {
  let isTraced = false;
  const calls: { readonly isTraced: boolean; readonly sample: number }[] = [];
  const { generator, nowNs } = virtualSystem((run, sample) => {
    calls.push({ isTraced, sample });
    return (isTraced ? traced : untraced) + run * drift;
  });
  const controls = {
    switchTracing: (on: boolean) => {
      isTraced = on;
    },
    onAlive: () => {},
    clock: { nowNs, wallMs: () => 5_000 + Number(nowNs()) / 1e6 },
  };
  return { generator, calls, controls, nowNs, isTraced: () => isTraced };
}

function specOf(load: RoundLoad, more: { queries?: number; maxDurationNs?: number } = {}) {
  const round = { index: 24, scenario: 'single-stream', seed: 25, leadInDurationNs: 0, load } as const;
  return { round, queries: 50, maxDurationNs: 30e9, ...more };
}

const CLOSED: RoundLoad = {
  kind: 'closed',
  limits: { minQueries: 7, minDurationNs: 1e9, maxDurationNs: 6e9 },
};

describe('a pass that is traced', () => {
  it('traces as many queries as are asked for, and runs as many others of the same samples', async () => {
    const { generator, calls, controls, isTraced } = system();
    const cost = unwrap(await runTracedPass(generator, specOf(CLOSED, { queries: 47 }), controls));
    expect(cost).toEqual({
      queries: 47,
      runs: 47,
      p50Seconds: { traced: 0.0011, untraced: 0.001 },
      costRatio: 1.1,
      examples: [expect.any(Object), expect.any(Object), expect.any(Object)],
    });
    const samplesOf = (traced: boolean) =>
      calls.filter((call) => call.isTraced === traced).map(({ sample }) => sample);
    expect(samplesOf(true)).toHaveLength(47);
    expect(samplesOf(true)).toEqual(samplesOf(false));
    expect(isTraced()).toBe(false);
  });

  it('does not take a host that becomes slower for the cost of tracing', async () => {
    const { generator, controls } = system({ traced: 1_000_000, drift: 10_000 });
    const cost = unwrap(await runTracedPass(generator, specOf(CLOSED), controls));
    expect(cost.costRatio).toBeGreaterThan(0.991);
    expect(cost.costRatio).toBeLessThan(1.009);
  });

  it('remembers the fastest, the middle and the slowest of what it traced, and when they ended', async () => {
    const { generator, controls } = system({ drift: 1_000 });
    const cost = unwrap(await runTracedPass(generator, specOf(CLOSED, { queries: 3 }), controls));
    // Blocks of one run each: traced, untraced, untraced, traced, traced, untraced.
    expect(cost.examples.map(({ seconds }) => seconds)).toEqual([0.0011, 0.001103, 0.001104]);
    // The virtual clock is at 1 µs when it begins.
    expect(cost.examples.map(({ wallMs }) => wallMs.toFixed(3))).toEqual([
      '5001.101',
      '5004.207',
      '5005.311',
    ]);
  });

  it('takes queries of several runs whole', async () => {
    const { generator, controls } = system();
    const limits = { minQueries: 1, minDurationNs: 0, maxDurationNs: 60e9 };
    const load = { kind: 'grouped', samplesPerQuery: 4, limits } as const;
    const cost = unwrap(await runTracedPass(generator, specOf(load, { queries: 13 }), controls));
    expect(cost).toMatchObject({ queries: 13, runs: 52 });
  });

  it('counts the call of a query that came by a schedule, not its wait, and traces no more than there are', async () => {
    const { generator, controls, nowNs } = system();
    const startNs = nowNs();
    const dueNs = Float64Array.from({ length: 12 }, (_, query) => 5e9 + query * 20e6);
    const load = {
      kind: 'scheduled',
      arrivals: { kind: 'trace', dueNs },
      length: { durationNs: 1, minQueries: 1 },
      maxDurationNs: 60e9,
    } as const;
    const cost = unwrap(await runTracedPass(generator, specOf(load), controls));
    expect(cost).toMatchObject({ queries: 12, p50Seconds: { traced: 0.0011, untraced: 0.001 } });
    // Each block begins with its first query, however late that was in the whole.
    expect(Number(nowNs() - startNs)).toBeLessThan(2 * 12 * 20e6);
  });

  it('traces fewer queries of a model that is too slow for all of them', async () => {
    const { generator, controls } = system({ traced: 2e9, untraced: 2e9 });
    const cost = unwrap(await runTracedPass(generator, specOf(CLOSED, { maxDurationNs: 30e9 }), controls));
    expect(cost.queries).toBe(10);
  });

  it('ends with the problem of the system, which is not traced any more then', async () => {
    let calls = 0;
    const { generator } = virtualSystem(() => {
      calls += 1;
      if (calls > 3) throw new ProblemError(problem('model-failed', 'no memory'));
      return 1000;
    });
    const switched: boolean[] = [];
    const pass = await runTracedPass(generator, specOf(CLOSED), {
      switchTracing: (on) => switched.push(on),
      onAlive: () => {},
      clock: systemClock,
    });
    expect(pass).toMatchObject({ ok: false, error: { kind: 'model-failed' } });
    expect(switched.at(-1)).toBe(false);
  });

  it('says that nothing was traced where the load was stopped at once', async () => {
    const { generator, controls } = system();
    const stopped: typeof generator = {
      ...generator,
      run: async () => ({ ok: true, value: { startNs: 0n } }),
    };
    expect(await runTracedPass(stopped, specOf(CLOSED), controls)).toMatchObject({
      ok: false,
      error: { kind: 'nothing-traced' },
    });
  });
});
