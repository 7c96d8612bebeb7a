import { describe, expect, it } from 'vitest';
import type { LoadGenerator } from '../../../src/benchmark/load-generator.ts';
import { isSteady, warmUpUntilSteady } from '../../../src/benchmark/steady-state.ts';
import { ProblemError, problem } from '../../../src/core/problem.ts';
import { virtualSystem } from './fakes.ts';

const spec = { windowDurationNs: 10_000, maxDurationNs: 200_000, seed: 1 };

function warmUp({ generator, nowNs }: { generator: LoadGenerator; nowNs: () => bigint }, onAlive = () => {}) {
  return warmUpUntilSteady(generator, spec, nowNs, onAlive);
}

describe('isSteady', () => {
  const window = (queriesPerSecond: number, medianNs: number) => ({ queriesPerSecond, medianNs });

  it('needs three windows within 10 % of one another', () => {
    expect(isSteady([window(100, 10), window(100, 10)])).toBe(false);
    expect(isSteady([window(100, 10), window(105, 10), window(110, 10)])).toBe(true);
    expect(isSteady([window(100, 10), window(105, 10), window(111, 10)])).toBe(false);
  });

  it('looks at the median latency too, and at the last three windows only', () => {
    expect(isSteady([window(100, 10), window(100, 10), window(100, 12)])).toBe(false);
    expect(isSteady([window(10, 99), window(100, 10), window(100, 10), window(100, 10)])).toBe(true);
  });
});

describe('warmUpUntilSteady', () => {
  it('runs every shape once, then stops after three equal windows', async () => {
    const system = virtualSystem(() => 1_000);
    let alive = 0;
    expect(await warmUp(system, () => alive++)).toEqual({
      ok: true,
      value: { queries: 31, durationNs: 31_000, steady: true, queriesPerSecond: 1e6, firstRunNs: [1_000] },
    });
    expect(system.issued).toHaveLength(31);
    expect(alive).toBe(4);
  });

  it('goes on while a system is still getting faster', async () => {
    const system = virtualSystem((run) => (run < 20 ? 4_000 - run * 150 : 1_000));
    const result = await warmUp(system);
    expect(result).toMatchObject({ ok: true, value: { steady: true, queriesPerSecond: 1e6 } });
    expect(system.issued.length).toBeGreaterThan(40);
  });

  it('gives up on a system that never settles and says so', async () => {
    const result = await warmUp(virtualSystem((run) => 10_000 + 1_000 * (run % 10)));
    expect(result).toMatchObject({ ok: true, value: { steady: false } });
    expect(result.ok && result.value.durationNs).toBeGreaterThanOrEqual(200_000);
  });

  it('runs three windows of a model that is slower than the time allowed', async () => {
    const system = virtualSystem(() => 9_000_000);
    expect(await warmUp(system)).toMatchObject({ ok: true, value: { steady: true } });
    expect(system.issued).toHaveLength(4);
  });

  it('runs one sample of every shape first and tells how long the first run of each took', async () => {
    const { generator, issued, nowNs } = virtualSystem((run) => (run < 2 ? 5_000 + run : 1_000));
    const shapes = { ...generator, shapeSamples: [3, 1] };
    const result = await warmUp({ generator: shapes, nowNs });
    expect(issued.slice(0, 2)).toEqual([3, 1]);
    expect(result).toMatchObject({ value: { firstRunNs: [5_000, 5_001] } });
  });

  it('returns the problem of a system that refuses its input', async () => {
    const system = virtualSystem(() => {
      throw new ProblemError(problem('inference-failed', 'Wrong shape', { place: { sample: 2 } }));
    });
    expect(await warmUp(system)).toMatchObject({
      ok: false,
      error: { kind: 'inference-failed', place: { sample: 2 } },
    });
  });
});
