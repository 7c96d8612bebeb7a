import type { AffineParameters } from '../affine.ts';
import { roundHalfEven } from '../round-half-even.ts';
import { type CodeGrid, clampCode, storableScale } from './code-grid.ts';

/** Weight of the quadratic term, with errors counted in steps of the grid, and its growth from step to step. */
const INITIAL_BETA = 5;
const BETA_GROWTH = 1.01;
const MAX_ITERATIONS = 24;
/** A step that improves the sum by less than this share is the last. It halves the time for a tenth of the gain. */
const LEAST_GAIN = 1e-3;

/**
 * Refines scale and zero point of a block so that the sum of |weight − dequantized|^0.75 shrinks: an exponent below 1
 * pays more for many small errors than for a few large ones, which leaves the grid to the bulk of the weights.
 *
 * Half-quadratic splitting: an auxiliary error e, found in closed form by generalized soft-thresholding, takes up the
 * large errors; the grid is then fitted by least squares to what is left. The paper keeps the scale and lets the zero
 * point be a fraction. Here the zero point is rounded, because packed zero points are whole codes, and the scale is
 * fitted to it. A symmetric grid fits its scale alone. Errors are counted in steps of the grid, so that the result
 * does not depend on the unit of the weights.
 *
 * The result is never worse than `start` in that sum, because the best grid seen is kept; the search ends when a step
 * hardly improves it.
 * Source: Badri and Shaji, "Half-Quadratic Quantization of Large Machine Learning Models", 2023.
 */
export function refineGrid(
  values: Float32Array,
  count: number,
  start: AffineParameters,
  grid: CodeGrid,
): AffineParameters {
  const { maxCode } = grid;
  let best = start;
  let bestError = Number.POSITIVE_INFINITY;
  let { scale, zeroPoint } = start;
  let beta = INITIAL_BETA;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    let error = 0;
    let sumCode = 0;
    let sumCodeSquared = 0;
    let sumTarget = 0;
    let sumProduct = 0;
    for (let i = 0; i < count; i++) {
      const steps = (values[i] as number) / scale;
      const code = clampCode(roundHalfEven(Math.fround(steps)) + zeroPoint, maxCode);
      const residual = steps - (code - zeroPoint);
      const magnitude = Math.abs(residual);
      // Square roots are single instructions where a general power is a call: hence 3/4, near the paper's 0.7.
      const fourthRoot = Math.sqrt(Math.sqrt(magnitude));
      error += fourthRoot * fourthRoot * fourthRoot;
      const shrunk = magnitude - 1 / (beta * fourthRoot);
      const target = shrunk > 0 ? steps - Math.sign(residual) * shrunk : steps;
      sumCode += code;
      sumCodeSquared += code * code;
      sumTarget += target;
      sumProduct += code * target;
    }
    error *= Math.abs(scale) ** 0.75;
    if (!(error < bestError)) break;
    const isLast = error > bestError * (1 - LEAST_GAIN);
    best = { scale, zeroPoint };
    bestError = error;
    if (isLast) break;

    const nextZeroPoint = grid.symmetric
      ? zeroPoint
      : (fittedZeroPoint(count, sumCode, sumCodeSquared, sumTarget, sumProduct, grid) ?? zeroPoint);
    const centredSquares = sumCodeSquared - 2 * nextZeroPoint * sumCode + count * nextZeroPoint ** 2;
    // All codes at the zero point leave nothing to fit a scale to.
    if (centredSquares === 0) break;
    const nextScale = storableScale(
      (scale * (sumProduct - nextZeroPoint * sumTarget)) / centredSquares,
      grid,
    );
    if (nextScale === scale && nextZeroPoint === zeroPoint) break;
    scale = nextScale;
    zeroPoint = nextZeroPoint;
    beta *= BETA_GROWTH;
  }
  return best;
}

/** Where the least-squares line through (code, target) crosses zero, as a code. Undefined for a line without slope. */
function fittedZeroPoint(
  count: number,
  sumCode: number,
  sumCodeSquared: number,
  sumTarget: number,
  sumProduct: number,
  { maxCode }: CodeGrid,
): number | undefined {
  const slope = (count * sumProduct - sumCode * sumTarget) / (count * sumCodeSquared - sumCode * sumCode);
  const zero = (sumCode - sumTarget / slope) / count;
  return Number.isFinite(zero) ? clampCode(roundHalfEven(zero), maxCode) : undefined;
}
