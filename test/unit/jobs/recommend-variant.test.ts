import { describe, expect, it } from 'vitest';
import type { SpeedUp } from '../../../src/benchmark/compare.ts';
import { type Candidate, recommendVariant } from '../../../src/jobs/recommend-variant.ts';

const speedUp = (outcome: SpeedUp['outcome'], lower: number | null = 1.5, valid = true): SpeedUp => ({
  base: 'fp32',
  candidate: 'x',
  metric: 'median-latency',
  outcome,
  ratio: lower,
  lower,
  upper: lower,
  confidence: 0.95,
  noiseFloorRatio: 0.01,
  pairedRounds: 24,
  pairedProcesses: 6,
  valid,
});
const candidate = (variant: string, more: Partial<Candidate> = {}): Candidate => ({
  variant,
  sizeBytes: 300,
  verdict: 'non_inferior',
  speedUps: [speedUp('faster')],
  ...more,
});
const chosen = (...candidates: readonly Candidate[]) =>
  recommendVariant({ variant: 'fp32', sizeBytes: 1000 }, candidates);

describe('recommendVariant', () => {
  it('takes what is surely the fastest of those within the budget', () => {
    const one = candidate('int8', { speedUps: [speedUp('faster', 1.9)] });
    const other = candidate('int8-percentile', {
      verdict: 'degraded_within_budget',
      speedUps: [speedUp('faster', 2.1)],
    });
    expect(chosen(one, other)).toEqual({
      variant: 'int8-percentile',
      reason: 'its accuracy is within the budget, and it is at least 2.10 times as fast as fp32',
    });
  });

  it.each(['regressed', 'inconclusive', 'invalid', undefined] as const)(
    'never takes one that is %s',
    (verdict) => {
      expect(chosen(candidate('int8', { verdict })).variant).toBe('fp32');
    },
  );

  it('goes by the measurement in which a variant gains least, and takes none that is slower in one', () => {
    const uneven = candidate('uneven', { speedUps: [speedUp('faster', 4), speedUp('faster', 1.1)] });
    const even = candidate('even', { speedUps: [speedUp('faster', 1.5), speedUp('faster', 1.5)] });
    const worse = candidate('worse', { speedUps: [speedUp('faster', 9), speedUp('slower', 0.9)] });
    expect(chosen(uneven, even, worse).variant).toBe('even');
  });

  it('takes the smallest where none is faster', () => {
    const same = [speedUp('not-distinguished', 0.99)];
    const reason =
      'its accuracy is within the budget, it is not slower than fp32, and it has 12 % of its size';
    expect(
      chosen(
        candidate('int8', { speedUps: same, sizeBytes: 260 }),
        candidate('int4', { speedUps: same, sizeBytes: 124 }),
        candidate('slow', { speedUps: [speedUp('slower', 0.5)], sizeBytes: 10 }),
      ),
    ).toEqual({ variant: 'int4', reason });
  });

  it('lets nothing count that is not valid or was not measured', () => {
    const invalid = candidate('int8', { speedUps: [speedUp('faster', 3, false)] });
    expect(chosen(invalid, candidate('int4', { speedUps: [] }))).toEqual({
      variant: 'fp32',
      reason: 'no valid measurement compares the speed of a variant whose accuracy is within the budget',
    });
    expect(chosen(candidate('int8', { speedUps: [speedUp('too-few-rounds', null)] })).variant).toBe('fp32');
  });

  it.each([
    [[], 'there is no other variant'],
    [[candidate('int8', { verdict: undefined })], 'no other variant was evaluated'],
    [
      [candidate('int8', { verdict: 'regressed' })],
      'of no other variant it is shown that its accuracy is within the budget',
    ],
    [
      [candidate('int8', { speedUps: [speedUp('slower', 0.7)] })],
      'no variant whose accuracy is within the budget is faster, or smaller and as fast',
    ],
  ])('says why it stays with fp32 (%#)', (candidates, reason) => {
    expect(chosen(...candidates)).toEqual({ variant: 'fp32', reason });
  });
});
