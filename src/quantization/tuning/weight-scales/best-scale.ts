import type { IntegerRange } from '../../affine.ts';
import { roundHalfEven } from '../../round-half-even.ts';

/** Shares of the scale that holds the largest weight, the coarse ones first and then around the best of them. */
const COARSE = [0.4, 0.5, 0.6, 0.7, 0.76, 0.82, 0.86, 0.9, 0.94, 0.97, 1];
const FINE_STEP = 0.01;
const FINE_STEPS = 3;

/**
 * The scale with which rounding to `grid` costs least: what is beyond the grid is cut, the rest rounded, and the squares of
 * both errors, each times its weight's `importance`, are smallest in sum.
 * @param largest the largest magnitude among the weights
 */
export function bestScale(
  weights: Float32Array,
  importance: Float32Array,
  largest: number,
  grid: IntegerRange,
): number {
  const full = largest / grid.max;
  let best = 1;
  let lowest = Number.POSITIVE_INFINITY;
  const consider = (share: number) => {
    const cost = roundingCost(weights, importance, Math.fround(full * share), grid, lowest);
    if (cost >= lowest) return;
    lowest = cost;
    best = share;
  };
  for (const share of COARSE.toReversed()) consider(share);
  const centre = best;
  for (let i = -FINE_STEPS; i <= FINE_STEPS; i++) if (i !== 0) consider(centre + i * FINE_STEP);
  return Math.fround(full * best);
}

/** Weights between one look at what they cost and the next. */
const BLOCK = 64;

/** Stops, with what it has, soon after it is not the lowest any more. */
function roundingCost(
  weights: Float32Array,
  importance: Float32Array,
  scale: number,
  { min, max }: IntegerRange,
  lowest: number,
): number {
  let cost = 0;
  for (let start = 0; start < weights.length && cost < lowest; start += BLOCK) {
    const end = Math.min(weights.length, start + BLOCK);
    for (let i = start; i < end; i++) {
      const value = weights[i] as number;
      const code = roundHalfEven(value / scale);
      const error = value - Math.min(max, Math.max(min, code)) * scale;
      cost += error * error * (importance[i] as number);
    }
  }
  return cost;
}
