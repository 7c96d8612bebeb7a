import { describe, expect, it } from 'vitest';
import { compareSeparateRuns } from '../../../src/benchmark/compare-separate-runs.ts';

const resultOf = (medians: readonly number[], scenario: 'single-stream' | 'offline' = 'single-stream') => ({
  variant: 'a',
  scenario,
  valid: true,
  rounds: medians.map((medianSeconds, round) => ({
    round,
    process: 0,
    medianSeconds,
    throughput: 1 / medianSeconds,
    durationSeconds: 1,
    queries: 100,
    otherCpuCores: null,
  })),
});

describe('compareSeparateRuns', () => {
  it('tells which is faster, by the medians of rounds or by their throughput', () => {
    const base = [2, 2.02, 1.98, 2.01];
    const candidate = [1, 1.01, 0.99, 1.02, 0.98];
    const bySpeed = compareSeparateRuns(resultOf(base), resultOf(candidate));
    expect(bySpeed).toMatchObject({ metric: 'median-latency', outcome: 'faster', pairedRounds: 0 });
    expect(bySpeed.ratio).toBeCloseTo(2, 1);
    expect(compareSeparateRuns(resultOf(candidate), resultOf(base)).outcome).toBe('slower');
    const offline = compareSeparateRuns(resultOf(base, 'offline'), resultOf(candidate, 'offline'));
    expect(offline).toMatchObject({ metric: 'throughput', outcome: 'faster' });
  });

  it('does not claim what two runs of one model differ by on a host', () => {
    const base = resultOf([1, 1.001, 0.999, 1]);
    const candidate = resultOf([0.97, 0.971, 0.969, 0.97]);
    expect(compareSeparateRuns(base, candidate).outcome).toBe('not-distinguished');
    expect(compareSeparateRuns(base, candidate, { minEffectRatio: 0.01 }).outcome).toBe('faster');
  });

  it('needs three rounds of each', () => {
    const three = resultOf([1, 1, 1]);
    expect(compareSeparateRuns(three, resultOf([1, 1])).outcome).toBe('too-few-rounds');
    expect(compareSeparateRuns(three, three).outcome).toBe('not-distinguished');
  });
});
