import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../../../src/benchmark/random.ts';
import {
  type PercentileIntervalOptions,
  percentileInterval,
} from '../../../../src/benchmark/statistics/percentile-interval.ts';
import { mm1ResponsePercentile } from '../../../support/queue-theory.ts';
import { autoregressive, responseNs, simulateMm1 } from '../../../support/simulate-queue.ts';

/** z with P[Z ≤ z] = p, from the printed table. */
const NORMAL: Readonly<Record<number, number>> = { 500: 0, 900: 1.281552, 990: 2.326348 };

const WARM_UP = 500;

interface Series {
  readonly draw: (random: Random) => Float64Array;
  readonly truthNs: (permille: number) => number;
}

/** Latencies of 1 ms with 100 µs of noise that depends on what was before. */
const autoregression = (phi: number, queries: number): Series => ({
  draw: (random) => autoregressive(random, phi, queries).map((value) => 1e6 + 1e5 * value),
  truthNs: (permille) => 1e6 + 1e5 * (NORMAL[permille] as number),
});

/** Response times of a queue in its steady state. */
const queue = (rho: number, queries: number): Series => ({
  draw: (random) => responseNs(simulateMm1(random, rho, queries + WARM_UP)).subarray(WARM_UP),
  truthNs: (permille) => mm1ResponsePercentile({ arrivalRate: rho / 1e6, serviceTime: 1e6 }, permille / 1000),
});

/**
 * Shares of the runs whose interval holds the true percentile, for each percentile. Without a bound there is nothing that
 * it could miss.
 */
function coverages(
  { draw, truthNs }: Series,
  permilles: readonly number[],
  { runs = 100, ...options }: PercentileIntervalOptions & { runs?: number } = {},
): number[] {
  const random = seededRandom(1);
  const covered = permilles.map(() => 0);
  for (let run = 0; run < runs; run++) {
    const latencyNs = draw(random);
    for (const [i, permille] of permilles.entries()) {
      const interval = percentileInterval(latencyNs, permille, options);
      const { lowerNs, upperNs } = interval as NonNullable<typeof interval>;
      const truth = truthNs(permille);
      if (truth >= (lowerNs ?? 0) && truth <= (upperNs ?? Number.POSITIVE_INFINITY)) {
        covered[i] = (covered[i] as number) + 1;
      }
    }
  }
  return covered.map((count) => count / runs);
}

describe('percentileInterval', () => {
  it('covers the percentiles of independent latencies', () => {
    const shares = coverages(autoregression(0, 1_000), [500, 900, 990], { runs: 200 });
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.91);
  });

  it.each([
    ['an AR(1) series with φ = 0.5', autoregression(0.5, 2_000)],
    ['an AR(1) series with φ = 0.95', autoregression(0.95, 4_000)],
    ['an M/M/1 queue at half its capacity', queue(0.5, 3_000)],
    ['an M/M/1 queue at 80 % of its capacity', queue(0.8, 5_000)],
  ])('covers the percentiles of %s', (_, series) => {
    expect(Math.min(...coverages(series, [500, 900, 990]))).toBeGreaterThanOrEqual(0.9);
  });

  it('needs the batches: order statistics alone miss most medians of a queue', () => {
    const options = { method: 'order-statistics' } as const;
    expect(coverages(queue(0.8, 5_000), [500], options)[0]).toBeLessThan(0.4);
    expect(coverages(autoregression(0.95, 4_000), [500], options)[0]).toBeLessThan(0.6);
  });

  it('has an upper bound wherever the run gives one, and then it is of use', () => {
    const latencyNs = queue(0.5, 20_000).draw(seededRandom(5));
    const interval = percentileInterval(latencyNs, 900);
    const { lowerNs, upperNs, estimateNs } = interval as NonNullable<typeof interval>;
    expect(interval).toMatchObject({ method: 'batch-means', confidence: 0.95, reliable: true });
    expect(lowerNs).toBeGreaterThan(estimateNs * 0.8);
    expect(upperNs).toBeLessThan(estimateNs * 1.25);
    expect(interval?.effectiveQueries).toBeLessThan(10_000);
  });

  it('does not bound a 99th percentile that rests on one burst', () => {
    const latencyNs = Float64Array.from({ length: 5_000 }, (_, i) =>
      i >= 2_000 && i < 2_080 ? 9e6 : 1e6 + i,
    );
    expect(percentileInterval(latencyNs, 990)).toMatchObject({
      method: 'batch-means',
      estimateNs: 9e6,
      upperNs: null,
    });
  });

  it('does not bound a 1st percentile from below that rests on one burst of quick answers', () => {
    const latencyNs = Float64Array.from({ length: 5_000 }, (_, i) => (i >= 2_000 && i < 2_080 ? i : 1e6 + i));
    expect(percentileInterval(latencyNs, 10)).toMatchObject({ method: 'batch-means', lowerNs: null });
  });

  it('allows for a burst above the estimate where most latencies equal it', () => {
    const latencyNs = Float64Array.from({ length: 5_000 }, (_, i) => (i < 2_750 ? 1e6 : 3e6 + i));
    const interval = percentileInterval(latencyNs, 500);
    expect(interval?.estimateNs).toBe(1e6);
    expect(interval?.upperNs ?? 3e6).toBeGreaterThanOrEqual(3e6);
  });

  it('sees the dependence of latencies among which one is huge', () => {
    const latencyNs = autoregression(0.95, 5_000).draw(seededRandom(6));
    latencyNs[2_000] = 1e12;
    expect(percentileInterval(latencyNs, 500)).toMatchObject({ method: 'batch-means' });
  });

  it('is never narrower than for independent latencies, however regular the batches', () => {
    const latencyNs = Float64Array.from({ length: 1_000 }, (_, i) => (i * 617) % 1_000);
    const interval = percentileInterval(latencyNs, 900, { method: 'batch-means' });
    // 1.96 standard deviations of the binomial distribution are 18.6 ranks.
    expect(interval?.lowerNs).toBeLessThan(900 - 18);
    expect(interval?.upperNs).toBeGreaterThan(900 + 18);
  });

  it('says when the run is too short to tell how far the dependence reaches', () => {
    const rising = Float64Array.from({ length: 1_000 }, (_, i) => 1e6 + i);
    expect(percentileInterval(rising, 500)).toMatchObject({ method: 'batch-means', reliable: false });
  });

  it('is narrower at a lower confidence', () => {
    const latencyNs = autoregression(0, 1_000).draw(seededRandom(8));
    const width = (confidence: number) => {
      const interval = percentileInterval(latencyNs, 500, { confidence });
      return (interval?.upperNs as number) - (interval?.lowerNs as number);
    };
    expect(width(0.8)).toBeLessThan(0.8 * width(0.95));
  });

  it('is a point where all latencies are equal, and nothing for fewer than two', () => {
    expect(percentileInterval(new Float64Array(1_000).fill(5e6), 900)).toMatchObject({
      method: 'order-statistics',
      estimateNs: 5e6,
      lowerNs: 5e6,
      upperNs: 5e6,
    });
    expect(percentileInterval(Float64Array.of(5e6), 500)).toBeNull();
    expect(percentileInterval(new Float64Array(0), 500)).toBeNull();
  });
});
