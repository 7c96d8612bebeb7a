import { normalQuantile } from '../special-functions.ts';
import { normalProbability, studentQuantile } from './distributions.ts';

/** Quantile of values in ascending order by linear interpolation (type 7 of Hyndman and Fan, NumPy's default). */
export function sortedQuantile(sorted: Float64Array, p: number): number {
  if (sorted.length === 0) throw new RangeError('there is no quantile of no values');
  const position = Math.min(Math.max(p, 0), 1) * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (position - below);
}

/** Replicates of a figure, and what they say about its true value. */
export interface BootstrapDistribution {
  readonly observed: number;
  /** In ascending order; at least two. */
  readonly sorted: Float64Array;
  readonly shape: BootstrapShape;
  /** Standard deviation of the replicates. */
  readonly standardError: number;
  /** Units that were drawn in each replicate. */
  readonly units: number;
  /** How many of them the scatter rests on, see `effectiveUnits`. */
  readonly effectiveUnits: number;
}

/**
 * @param replicates the figure in each replicate; sorted in place
 * @param jackknife the figure without one unit, or without one block of units, each
 */
export function bootstrapDistribution(
  replicates: Float64Array,
  observed: number,
  jackknife: Float64Array,
  units: number,
): BootstrapDistribution {
  const sorted = replicates.sort();
  return {
    observed,
    sorted,
    shape: bootstrapShape(sorted, observed, jackknife),
    standardError: standardDeviation(sorted),
    units,
    effectiveUnits: effectiveUnits(jackknife),
  };
}

/** The value that bounds the true one from above with probability `level`: BCa, at a level expanded for few units. */
export function bootstrapBound({ sorted, shape, units }: BootstrapDistribution, level: number): number {
  return sortedQuantile(sorted, acceleratedLevel(expandedLevel(level, units), shape));
}

/** How a bootstrap distribution is bent; both are 0 for one that is symmetric about what was observed. */
export interface BootstrapShape {
  /** z₀: how far the median of the replicates lies from the observed value, in normal units. */
  readonly bias: number;
  /** a: how fast the standard error changes with the true value. */
  readonly acceleration: number;
}

/**
 * @param sorted replicates in ascending order
 * @param jackknife the figure without one item, or without one block of items, each
 */
export function bootstrapShape(
  sorted: Float64Array,
  observed: number,
  jackknife: Float64Array,
): BootstrapShape {
  return {
    bias: normalScore(shareBelow(sorted, observed)),
    acceleration: accelerationOf(jackknife),
  };
}

/**
 * The level at which the replicates' quantile is taken so that it bounds the true value with probability `level` (BCa).
 * Source: B. Efron, "Better Bootstrap Confidence Intervals", JASA 82 (1987).
 */
export function acceleratedLevel(level: number, { bias, acceleration }: BootstrapShape): number {
  // Where all replicates lie on one side of the observed value there is no shape to be told, and no level beyond 0 and 1.
  if (!Number.isFinite(bias) || level <= 0 || level >= 1) return level;
  const z = bias + normalQuantile(level);
  const stretch = 1 - acceleration * z;
  // The standard error shrinks to nothing on the way: the bound lies beyond all replicates.
  if (stretch <= 0) return z > 0 ? 1 : 0;
  return normalProbability(bias + z / stretch);
}

/**
 * A level further out, as replicates of few units scatter too little: by √((n − 1)/n), and as the normal distribution
 * does instead of Student's. From 1,000 units on it makes no difference that counts.
 * Source: T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69 (2015).
 */
export function expandedLevel(level: number, units: number): number {
  return normalProbability(studentQuantile(level, units - 1) * Math.sqrt(units / (units - 1)));
}

/**
 * (Σd²)²/Σd⁴ of the jackknife's deviations d: as many as units differ if all that differ do so alike, fewer if some differ
 * more, and 0 if none does. Two changed answers in a thousand are two.
 */
export function effectiveUnits(jackknife: Float64Array): number {
  let squares = 0;
  let fourths = 0;
  for (const deviation of relativeDeviations(jackknife)) {
    squares += deviation ** 2;
    fourths += deviation ** 4;
  }
  return fourths === 0 ? 0 : squares ** 2 / fourths;
}

/** Share of the replicates below `observed`, with half of those that equal it. */
function shareBelow(sorted: Float64Array, observed: number): number {
  let below = 0;
  let equal = 0;
  for (const value of sorted) {
    if (value < observed) below += 1;
    else if (value === observed) equal += 1;
  }
  return (below + equal / 2) / sorted.length;
}

function normalScore(share: number): number {
  if (share <= 0) return Number.NEGATIVE_INFINITY;
  return share >= 1 ? Number.POSITIVE_INFINITY : normalQuantile(share);
}

/** Σd³ / 6(Σd²)^1.5 of the deviations d of the jackknife's values, as Efron estimates it. */
function accelerationOf(jackknife: Float64Array): number {
  let squares = 0;
  let cubes = 0;
  for (const deviation of relativeDeviations(jackknife)) {
    squares += deviation ** 2;
    cubes += deviation ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/** Mean minus value, as shares of the largest one, so that powers of tiny ones do not vanish. All 0 where none differs. */
function relativeDeviations(values: Float64Array): Float64Array {
  const mean = meanOf(values);
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(mean - value));
  return values.map((value) => (largest === 0 ? 0 : (mean - value) / largest));
}

function standardDeviation(values: Float64Array): number {
  const mean = meanOf(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
