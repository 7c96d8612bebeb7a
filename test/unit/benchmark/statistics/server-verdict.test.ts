import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import { serverVerdict } from '../../../../src/benchmark/statistics/server-verdict.ts';
import { exponential } from '../../../support/simulate-queue.ts';

const BOUND = { boundNs: 15e6 };

/** Responses of 10 ms, of which some take 20. */
function responses(queries: number, overBound: number): Float64Array {
  return Float64Array.from({ length: queries }, (_, i) => (i < overBound ? 20e6 : 10e6));
}

describe('serverVerdict', () => {
  it('passes as many responses over the bound as early stopping allows, and not one more', () => {
    expect(serverVerdict(responses(10_000, 77), BOUND)).toMatchObject({
      outcome: 'met',
      overBound: 77,
      allowance: 77,
      queriesNeeded: null,
      reason:
        '77 of 10000 queries took longer than 15.0 ms, of 77 allowed to show that the 99th percentile is below',
    });
    expect(serverVerdict(responses(10_000, 78), BOUND).outcome).toBe('undecided');
  });

  it.each([
    [1_000, 990, 2],
    [1_000, 900, 78],
  ])('of %i queries allows for percentile %i/1000 %i', (queries, permille, allowance) => {
    const options = { ...BOUND, permille };
    expect(serverVerdict(responses(queries, allowance), options)).toMatchObject({
      outcome: 'met',
      allowance,
    });
    expect(serverVerdict(responses(queries, allowance + 1), options).outcome).toBe('undecided');
  });

  it('passes fewer queries only if none is over the bound, and 458 in no case', () => {
    expect(serverVerdict(responses(459, 0), BOUND)).toMatchObject({ outcome: 'met', allowance: 0 });
    expect(serverVerdict(responses(459, 1), BOUND).outcome).toBe('undecided');
    expect(serverVerdict(responses(458, 0), BOUND)).toMatchObject({
      outcome: 'undecided',
      allowance: null,
      queriesNeeded: 459,
    });
  });

  it('tells what is above in these queries from what is not shown', () => {
    expect(serverVerdict(responses(10_000, 100), BOUND).outcome).toBe('undecided');
    expect(serverVerdict(responses(10_000, 101), BOUND)).toMatchObject({
      outcome: 'missed',
      reason: '101 of 10000 queries took longer than 15.0 ms: the 99th percentile is above',
      queriesNeeded: null,
    });
  });

  it('says how many queries it takes', () => {
    const undecided = serverVerdict(responses(1_000, 5), BOUND);
    const needed = undecided.queriesNeeded as number;
    expect(undecided.reason).toContain(`to show it takes ${needed} with no more over`);
    expect(serverVerdict(responses(needed, 5), BOUND).outcome).toBe('met');
    expect(serverVerdict(responses(needed - 1, 5), BOUND).outcome).toBe('undecided');
  });

  it('counts a response at the bound as within it, and one that is no number as over it', () => {
    expect(serverVerdict(Float64Array.of(15e6, 15e6 + 1, Number.NaN), BOUND).overBound).toBe(2);
  });

  it('is undecided without a query', () => {
    expect(serverVerdict(new Float64Array(0), BOUND)).toMatchObject({
      outcome: 'undecided',
      queriesNeeded: 459,
    });
  });

  it('passes a system whose percentile is at the bound in 1 of 100 runs at most', () => {
    const random = seededRandom(1);
    const responseNs = exponential(random, 1e6);
    // The 99th percentile of an exponential distribution is ln 100 times its mean.
    const boundNs = Math.log(100) * 1e6;
    const passed = Array.from({ length: 1_000 }, () =>
      serverVerdict(Float64Array.from({ length: 1_000 }, responseNs), { boundNs }),
    ).filter(({ outcome }) => outcome === 'met');
    expect(passed.length).toBeLessThanOrEqual(12);
  });
});
