import { describe, expect, it } from 'vitest';
import { isSteady, warmUpUntilSteady } from '../../../src/benchmark/steady-state.ts';
import { ProblemError, problem } from '../../../src/core/problem.ts';
import { virtualSystem } from './fakes.ts';

const spec = { windowDurationNs: 10_000, maxDurationNs: 200_000, seed: 1 };

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
  it('stops after three equal windows', async () => {
    const { context, issued } = virtualSystem(() => 1_000);
    expect(await warmUpUntilSteady(context, spec)).toEqual({
      ok: true,
      value: { queries: 30, durationNs: 30_000, steady: true, queriesPerSecond: 1e6 },
    });
    expect(issued).toHaveLength(30);
  });

  it('goes on while a system is still getting faster', async () => {
    const { context, issued } = virtualSystem((query) => (query < 20 ? 4_000 - query * 150 : 1_000));
    const result = await warmUpUntilSteady(context, spec);
    expect(result).toMatchObject({ ok: true, value: { steady: true, queriesPerSecond: 1e6 } });
    expect(issued.length).toBeGreaterThan(40);
  });

  it('gives up on a system that never settles and says so', async () => {
    const { context } = virtualSystem((query) => 10_000 + 1_000 * (query % 10));
    const result = await warmUpUntilSteady(context, spec);
    expect(result).toMatchObject({ ok: true, value: { steady: false } });
    expect(result.ok && result.value.durationNs).toBeGreaterThanOrEqual(200_000);
  });

  it('runs three windows of a model that is slower than the time allowed', async () => {
    const { context, issued } = virtualSystem(() => 9_000_000);
    expect(await warmUpUntilSteady(context, spec)).toMatchObject({ ok: true, value: { steady: true } });
    expect(issued).toHaveLength(3);
  });

  it('runs one sample of every shape first', async () => {
    const { context, issued } = virtualSystem(() => 1_000);
    await warmUpUntilSteady(context, { ...spec, shapeSamples: [3, 1] });
    expect(issued.slice(0, 2)).toEqual([3, 1]);
  });

  it('returns the problem of a system that refuses its input', async () => {
    const { context } = virtualSystem(() => {
      throw new ProblemError(problem('model-run-failed', 'Wrong shape', { place: { sample: 2 } }));
    });
    expect(await warmUpUntilSteady(context, spec)).toMatchObject({
      ok: false,
      error: { kind: 'model-run-failed', place: { sample: 2 } },
    });
  });
});
