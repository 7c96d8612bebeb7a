import { studentTQuantile } from '../confidence-interval.ts';

/** Growth from one value of an evenly spaced series to the next. */
export interface TrendInterval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/** Below this nothing is said: a level, a slope and their scatter are asked of the values. */
export const FEWEST_FOR_TREND = 10;

const FEWEST_COSINES = 3;
/** What comes back within so many values is taken for dependence, what is slower for a trend. */
const VALUES_PER_COSINE = 24;

const BLOCKS = 5;

/**
 * Trend of a series that scatters around a line, such as latencies, where neighbours may depend on each other: the slope by
 * least squares, its two-sided interval from what cosines of 1, 2 … K whole periods find in the series. They see neither a
 * level nor a trend, and the slow part of the scatter, which is what falsifies a slope, fully. K is 3, and one for every 24
 * values in long series; the quantile is Student's with K degrees of freedom. Null for fewer than 10 values.
 *
 * For independent values it misses as often as it says, for a lag-1 correlation of 0.6 up to twice as often (see the test).
 * Source: Y. Sun, "Robust trend inference with series variance estimator and testing-optimal smoothing parameter", Journal of
 * Econometrics 164 (2011).
 */
export function trendOfLevel(values: readonly number[], confidence: number): TrendInterval | null {
  const n = values.length;
  if (n < FEWEST_FOR_TREND) return null;
  const project = (basis: (place: number) => number) =>
    values.reduce((sum, value, index) => sum + value * basis((index + 0.5) / n), 0);
  // The sum of (index - mean)² over 0 … n-1.
  const spread = (n * (n * n - 1)) / 12;
  const estimate = project((place) => n * (place - 0.5)) / spread;
  const cosines = Math.max(FEWEST_COSINES, Math.floor(n / VALUES_PER_COSINE));
  let variance = 0;
  for (let periods = 1; periods <= cosines; periods++) {
    const found = project((place) => Math.SQRT2 * Math.cos(2 * Math.PI * periods * place));
    variance += found ** 2 / n / cosines;
  }
  const margin = studentTQuantile(confidence, cosines) * Math.sqrt(variance / spread);
  return { estimate, lower: estimate - margin, upper: estimate + margin };
}

/**
 * Trend of a series that keeps what happened to it, such as memory, which may wander without any trend: the means of five
 * blocks differ from one to the next by independent amounts, and Student's interval of their mean is that of the growth. What
 * rises and then levels off has differences of all sizes, hence a wide interval. Null for fewer than 10 values.
 *
 * A random walk passes for growth in 3 of 100 series where 1.7 are allowed, a series around a level far less often; the price is
 * that small growth within large scatter is not seen (see the test).
 * Source: the idea of t statistics over few blocks is that of R. Ibragimov and U. K. Müller, "t-statistic based correlation and
 * heterogeneity robust inference", Journal of Business & Economic Statistics 28 (2010).
 */
export function trendOfSum(values: readonly number[], confidence: number): TrendInterval | null {
  const n = values.length;
  if (n < FEWEST_FOR_TREND) return null;
  const means = Array.from({ length: BLOCKS }, (_, block) =>
    mean(values.slice(Math.floor((block * n) / BLOCKS), Math.floor(((block + 1) * n) / BLOCKS))),
  );
  const growths = means.slice(1).map((value, block) => value - (means[block] as number));
  const centre = mean(growths);
  const squares = growths.reduce((sum, growth) => sum + (growth - centre) ** 2, 0);
  const standardError = Math.sqrt(squares / (growths.length - 1) / growths.length);
  const margin = studentTQuantile(confidence, growths.length - 1) * standardError;
  const perValue = BLOCKS / n;
  return {
    estimate: centre * perValue,
    lower: (centre - margin) * perValue,
    upper: (centre + margin) * perValue,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
