import { describe, expect, it } from 'vitest';
import {
  type ComparableResult,
  compareResults,
  formatRatio,
  formatSpeedUp,
} from '../../../src/benchmark/compare.ts';
import { type Random, seededRandom } from '../../../src/benchmark/random.ts';
import { comparableOf, normal } from './fakes.ts';

function resultOf(
  variant: string,
  roundMediansNs: readonly number[],
  scenario: 'single-stream' | 'offline' = 'single-stream',
): ComparableResult {
  return comparableOf(variant, roundMediansNs, { scenario });
}

/** Two variants on a host that drifts by tens of per cent, each with 3 % noise of its own per round. */
function noisyPair(random: Random, slowDown: number, rounds = 12) {
  const host = Array.from(
    { length: rounds },
    (_, round) => 1e6 * (1 + 0.03 * round) * Math.exp(0.1 * normal(random)),
  );
  const noisy = (factor: number) => host.map((median) => median * factor * Math.exp(0.03 * normal(random)));
  return [resultOf('fp32', noisy(1)), resultOf('int8', noisy(slowDown))] as const;
}

function outcomesOf(comparisons: number, slowDown: number): string[] {
  const random = seededRandom(20_240_501);
  return Array.from(
    { length: comparisons },
    () => compareResults(...noisyPair(random, slowDown), { minEffectRatio: 0.01 }).outcome,
  );
}

describe('compareResults', () => {
  it('finds a difference between equals no more often than its level allows', () => {
    const falseDifferences = outcomesOf(200, 1).filter((outcome) => outcome !== 'not-distinguished');
    expect(falseDifferences.length).toBeLessThanOrEqual(200 * 0.05);
  });

  it('keeps its interval at the stated level without the help of the noise floor', () => {
    const random = seededRandom(4);
    const misses = Array.from({ length: 2_000 }, () => compareResults(...noisyPair(random, 1, 6))).filter(
      ({ lower, upper }) => (lower as number) > 1 || (upper as number) < 1,
    );
    expect(misses.length / 2_000).toBeGreaterThan(0.03);
    expect(misses.length / 2_000).toBeLessThan(0.07);
  });

  it('finds a planted slow-down of 5 % under 3 % of noise', () => {
    const outcomes = outcomesOf(200, 1.05);
    expect(outcomes.filter((outcome) => outcome === 'slower').length).toBeGreaterThan(160);
    expect(outcomes).not.toContain('faster');
  });

  it('gives the ratio with its interval', () => {
    const speedUp = compareResults(
      resultOf('fp32', [2.0e6, 2.2e6, 2.1e6, 2.0e6]),
      resultOf('int8', [1.0e6, 1.1e6, 1.0e6, 1.0e6]),
    );
    expect(speedUp).toMatchObject({ base: 'fp32', candidate: 'int8', outcome: 'faster', pairedRounds: 4 });
    expect(speedUp.ratio).toBeCloseTo(2.025, 2);
    expect(formatSpeedUp(speedUp)).toBe('2.02x [1.95, 2.10]');
  });

  it('has no figures to show where any of them is missing', () => {
    expect(formatRatio({ ratio: 2, lower: null, upper: 3 })).toBe('too few rounds to compare');
    expect(formatRatio({ ratio: 2, lower: 1.5, upper: null })).toBe('too few rounds to compare');
    expect(formatRatio({ ratio: 2, lower: 1.5, upper: 3 })).toBe('2.00x [1.50, 3.00]');
  });

  it('compares throughput in the offline scenario', () => {
    const speedUp = compareResults(
      resultOf('fp32', [2e6, 2e6, 2e6], 'offline'),
      resultOf('int8', [1e6, 1e6, 1e6], 'offline'),
    );
    expect(speedUp).toMatchObject({ metric: 'throughput', outcome: 'faster' });
    expect(speedUp.ratio).toBeCloseTo(2, 12);
  });

  it('does not speak of a difference that two processes of one model show, however sure', () => {
    const speedUp = compareResults(resultOf('a', Array(10).fill(1.04e6)), resultOf('b', Array(10).fill(1e6)));
    expect(speedUp).toMatchObject({ outcome: 'not-distinguished', noiseFloorRatio: 0.05 });
    expect(formatSpeedUp(speedUp)).toBe('1.04x [1.04, 1.04] (within noise)');
  });

  it('claims nothing while the interval holds 1, however large the ratio', () => {
    const speedUp = compareResults(resultOf('a', [1.3e6, 1e6, 1.25e6]), resultOf('b', [1e6, 1e6, 1e6]));
    expect(speedUp.outcome).toBe('not-distinguished');
    expect((speedUp.ratio as number) - 1).toBeGreaterThan(speedUp.noiseFloorRatio as number);
  });

  it('pairs by round and needs three pairs', () => {
    const candidate = resultOf('b', [1e6, 1e6, 1e6]);
    const shifted = {
      ...candidate,
      rounds: candidate.rounds.map((round) => ({ ...round, round: round.round + 1 })),
    };
    const speedUp = compareResults(resultOf('a', [1e6, 1e6, 1e6]), shifted);
    expect(speedUp).toMatchObject({ outcome: 'too-few-rounds', ratio: null, pairedRounds: 2 });
    expect(formatSpeedUp(speedUp)).toBe('too few rounds to compare (2)');
  });

  it('carries the validity of both', () => {
    const valid = { ...resultOf('a', [1e6, 1e6, 1e6]), valid: true };
    expect(compareResults(valid, valid).valid).toBe(true);
    expect(compareResults(valid, { ...valid, valid: false }).valid).toBe(false);
  });
});
