import { describe, expect, it } from 'vitest';
import { percentileRatios } from '../../../src/benchmark/compare-percentiles.ts';
import type { RoundPercentiles } from '../../../src/benchmark/percentile-curve.ts';

/** Rounds whose median is as given and whose 90th percentile is twice that. */
const roundsOf = (...medians: readonly number[]): RoundPercentiles[] =>
  medians.map((seconds, round) => ({
    round,
    percentiles: [
      { percentile: 50, seconds },
      { percentile: 90, seconds: 2 * seconds },
    ],
  }));

describe('percentileRatios', () => {
  it('pairs rounds, so that a host that slows both down costs nothing', () => {
    const options = { paired: true, confidence: 0.95 };
    const ratios = percentileRatios(roundsOf(2, 4, 20), roundsOf(1, 2, 10), options);
    expect(ratios.map(({ percentile }) => percentile)).toEqual([50, 90]);
    for (const { ratio, lower, upper } of ratios) {
      for (const value of [ratio, lower, upper]) expect(value).toBeCloseTo(2, 10);
    }
  });

  it('knows the scatter of rounds that were not measured side by side', () => {
    const [median] = percentileRatios(roundsOf(2, 4, 20), roundsOf(1, 2, 10), {
      paired: false,
      confidence: 0.95,
    });
    expect(median?.ratio).toBeCloseTo(2, 10);
    expect(median?.lower).toBeLessThan(0.2);
    expect(median?.upper).toBeGreaterThan(20);
  });

  it('tells nothing of a percentile that fewer than three rounds of either reach', () => {
    const short = roundsOf(1, 1, 1).map((round, index) =>
      index === 0 ? { ...round, percentiles: round.percentiles.slice(0, 1) } : round,
    );
    for (const paired of [true, false]) {
      const ratios = percentileRatios(roundsOf(2, 2, 2), short, { paired, confidence: 0.95 });
      expect(ratios.map(({ percentile }) => percentile)).toEqual([50]);
    }
    expect(percentileRatios(roundsOf(2, 2), roundsOf(1, 1), { paired: true, confidence: 0.95 })).toEqual([]);
  });
});
