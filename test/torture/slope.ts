import { studentTQuantile } from '../../src/benchmark/confidence-interval.ts';

/** How a figure develops with the number of runs. */
export interface Slope {
  readonly perRun: number;
  /** 95 % interval of the slope. */
  readonly lower: number;
  readonly upper: number;
  readonly first: number;
  readonly last: number;
}

/** The straight line through points by least squares, with Student's interval of its slope. Needs three points or more. */
export function slopeOf(points: readonly { readonly at: number; readonly value: number }[]): Slope {
  const n = points.length;
  const meanAt = mean(points.map(({ at }) => at));
  const meanValue = mean(points.map(({ value }) => value));
  const spread = points.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  const perRun = points.reduce((sum, { at, value }) => sum + (at - meanAt) * (value - meanValue), 0) / spread;
  const residual = points.reduce(
    (sum, { at, value }) => sum + (value - meanValue - perRun * (at - meanAt)) ** 2,
    0,
  );
  const margin = studentTQuantile(0.95, n - 2) * Math.sqrt(residual / (n - 2) / spread);
  return {
    perRun,
    lower: perRun - margin,
    upper: perRun + margin,
    first: points[0]?.value ?? Number.NaN,
    last: points.at(-1)?.value ?? Number.NaN,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
