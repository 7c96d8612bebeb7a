import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../../../src/benchmark/random.ts';
import {
  type TrendInterval,
  trendOfLevel,
  trendOfSum,
} from '../../../../src/benchmark/statistics/trend-interval.ts';
import { normal } from '../fakes.ts';

type Trend = (values: readonly number[], confidence: number) => TrendInterval | null;

const methods: readonly (readonly [string, Trend])[] = [
  ['trendOfLevel', trendOfLevel],
  ['trendOfSum', trendOfSum],
];

/** Stationary, each value with this share of the one before it. */
const autoregression = (share: number) => (n: number, random: Random) => {
  let value = normal(random) / Math.sqrt(1 - share ** 2);
  return Array.from({ length: n }, () => {
    value = share * value + normal(random);
    return value;
  });
};
const independent = autoregression(0);

const randomWalk = (n: number, random: Random) => {
  let value = 0;
  return Array.from({ length: n }, () => {
    value += normal(random);
    return value;
  });
};

/** One in ten is eight times as far off. */
const heavyTailed = (n: number, random: Random) =>
  Array.from({ length: n }, () => normal(random) * (random() < 0.1 ? 8 : 1));

/** Of how many series in a hundred growth is claimed, at 98.3 % to one side. */
function claims(trend: Trend, series: (n: number, random: Random) => readonly number[], n: number): number {
  const random = seededRandom(3);
  const trials = 1_000;
  let claimed = 0;
  for (let trial = 0; trial < trials; trial++) {
    if ((trend(series(n, random), 1 - 0.1 / 3) as TrendInterval).lower > 0) claimed += 1;
  }
  return (claimed / trials) * 100;
}

const growing = (series: typeof independent, by: number) => (n: number, random: Random) =>
  series(n, random).map((value, index) => value + (by * index) / (n - 1));

describe.each(methods)('%s', (_, trend) => {
  it('finds the slope of a line exactly', () => {
    const interval = trend(
      Array.from({ length: 17 }, (_value, index) => 5 + 0.25 * index),
      0.95,
    ) as TrendInterval;
    // Blocks of 3 and 4 values lie unevenly, within a few percent.
    expect(interval.estimate).toBeGreaterThan(0.24);
    expect(interval.estimate).toBeLessThan(0.26);
    const even = trend(
      Array.from({ length: 20 }, (_value, index) => 5 + 0.25 * index),
      0.95,
    ) as TrendInterval;
    expect(even.estimate).toBeCloseTo(0.25, 12);
    expect(even.lower).toBeCloseTo(0.25, 6);
    expect(even.upper).toBeCloseTo(0.25, 6);
  });

  it('says 0, without doubt, of values that are all equal', () =>
    expect(trend(new Array<number>(12).fill(3), 0.95)).toMatchObject({
      estimate: expect.closeTo(0, 12),
      lower: expect.closeTo(0, 12),
      upper: expect.closeTo(0, 12),
    }));

  it('says nothing of fewer than ten values', () => {
    expect(trend([1, 2, 3, 4, 5, 6, 7, 8, 9], 0.95)).toBeNull();
    expect(trend([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.95)).not.toBeNull();
  });

  it('is wider at a higher confidence', () => {
    const values = independent(30, seededRandom(1));
    const [narrow, wide] = [trend(values, 0.8), trend(values, 0.99)] as [TrendInterval, TrendInterval];
    expect(wide.upper - wide.lower).toBeGreaterThan(narrow.upper - narrow.lower);
  });

  it.each([12, 20, 60, 120])('claims growth in 1.7 of 100 series of %i independent values, or fewer', (n) => {
    expect(claims(trend, independent, n)).toBeLessThan(2.6);
    expect(claims(trend, heavyTailed, n)).toBeLessThan(2.6);
  });
});

describe('trendOfLevel', () => {
  it('claims growth a little too often where neighbours depend on each other, less so in long series', () => {
    expect(claims(trendOfLevel, autoregression(0.6), 20)).toBeLessThan(5);
    expect(claims(trendOfLevel, autoregression(0.6), 120)).toBeLessThan(3.4);
  });

  it('sees growth by four standard deviations in most soaks of half an hour, and by two in most of an hour', () => {
    expect(claims(trendOfLevel, growing(independent, 4), 59)).toBeGreaterThan(90);
    expect(claims(trendOfLevel, growing(independent, 2), 119)).toBeGreaterThan(90);
  });

  it('is no test for what wanders: a random walk passes for growth', () =>
    expect(claims(trendOfLevel, randomWalk, 60)).toBeGreaterThan(10));
});

describe('trendOfSum', () => {
  it.each([12, 20, 60, 120])('claims growth in a few of 100 random walks of %i values', (n) =>
    expect(claims(trendOfSum, randomWalk, n)).toBeLessThan(4.5),
  );

  it.each([12, 60])('does not take what fills up for growth, in %i values', (n) => {
    const filling = (count: number, random: Random) =>
      Array.from({ length: count }, (_, index) => 1 - Math.exp((-5 * index) / count) + 0.01 * normal(random));
    expect(claims(trendOfSum, filling, n)).toBeLessThan(1);
  });

  it('does not take a single step for growth', () => {
    const step = (n: number, random: Random) => {
      const at = random() * n;
      return Array.from({ length: n }, (_, index) => (index > at ? 1 : 0) + 0.05 * normal(random));
    };
    expect(claims(trendOfSum, step, 60)).toBeLessThan(1);
  });

  it('sees growth that is large against the scatter, and leaves smaller growth unsaid', () => {
    expect(claims(trendOfSum, growing(independent, 16), 20)).toBeGreaterThan(90);
    expect(claims(trendOfSum, growing(independent, 8), 119)).toBeGreaterThan(90);
    expect(claims(trendOfSum, growing(independent, 2), 20)).toBeLessThan(10);
  });
});
