import type { IntegerRange } from '../affine.ts';
import { roundHalfEven } from '../round-half-even.ts';
import type { RowLoss } from './row-loss.ts';

/** Output channels that are rounded side by side: the factor is then read once for all of them. */
export const LANES = 4;

/** Sweeps over the weights of a channel in search of one whose code is better another. */
const MOST_SWEEPS = 4;

/** Up to `LANES` output channels; each array holds, place by place of the loss's order, an element of every lane. */
export interface LaneWeights {
  readonly values: Float64Array;
  /** Step of the grid. */
  readonly scales: Float64Array;
  readonly zeroPoints: Float64Array;
}

/** Arrays for `LANES` channels, all zeros. */
export function createLanes(columns: number): LaneWeights & { readonly codes: Float64Array } {
  const array = () => new Float64Array(columns * LANES);
  return { values: array(), scales: array().fill(1), zeroPoints: array(), codes: array() };
}

/**
 * Chooses codes that make the loss of each channel small: weights are rounded one after another, each so that it makes up
 * for what those before it lost, and then single codes are changed as long as that helps. What comes out is never worse
 * than what the first half gives, and that rarely worse than rounding to nearest.
 *
 * The first half is GPTQ (Frantar et al., 2022) in the form of Babai's nearest plane (Chen et al., «The geometry of LLM
 * quantization», 2025), which needs no inverse of the Hessian; the second is cyclic coordinate descent, as in QuantEase
 * (Behdin et al., 2023).
 * @param codes gets the codes, laid out as the weights
 */
export function roundRows(
  loss: RowLoss,
  weights: LaneWeights,
  grid: IntegerRange,
  codes: Float64Array,
): void {
  const residuals = roundInTurn(loss, weights, grid, codes);
  const gradients = gradientsOf(loss, residuals);
  for (let lane = 0; lane < LANES; lane++) descend(loss, weights, grid, codes, gradients, lane);
}

/** Rounds from the last place to the first. @returns Lᵀ times the error that remains, by lanes */
function roundInTurn(
  { columns, factor }: RowLoss,
  { values, scales, zeroPoints }: LaneWeights,
  grid: IntegerRange,
  codes: Float64Array,
): Float64Array {
  const errors = new Float64Array(columns * LANES);
  const residuals = new Float64Array(columns * LANES);
  const carried = new Float64Array(LANES);
  for (let k = columns - 1; k >= 0; k--) {
    sumLanes(factor, k * columns, errors, k + 1, columns, carried);
    const pivot = factor[k * columns + k] as number;
    for (let lane = 0; lane < LANES; lane++) {
      const at = k * LANES + lane;
      const value = values[at] as number;
      const scale = scales[at] as number;
      const zeroPoint = zeroPoints[at] as number;
      const wanted = value + (carried[lane] as number) / pivot;
      const code = clamp(roundHalfEven(wanted / scale) + zeroPoint, grid);
      const rounded = (code - zeroPoint) * scale;
      codes[at] = code;
      errors[at] = value - rounded;
      residuals[at] = pivot * (wanted - rounded);
    }
  }
  return residuals;
}

/** H times the rounded weights minus the weights, by lanes. */
function gradientsOf({ columns, factor }: RowLoss, residuals: Float64Array): Float64Array {
  const gradients = new Float64Array(columns * LANES);
  const sums = new Float64Array(LANES);
  for (let k = 0; k < columns; k++) {
    sumLanes(factor, k * columns, residuals, 0, k + 1, sums);
    for (let lane = 0; lane < LANES; lane++) gradients[k * LANES + lane] = -(sums[lane] as number);
  }
  return gradients;
}

/** Products of the elements `from` to `to` of a row with those of each lane, summed. */
function sumLanes(
  matrix: Float64Array,
  row: number,
  lanes: Float64Array,
  from: number,
  to: number,
  sums: Float64Array,
): void {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let j = from; j < to; j++) {
    const factor = matrix[row + j] as number;
    const at = j * LANES;
    a += factor * (lanes[at] as number);
    b += factor * (lanes[at + 1] as number);
    c += factor * (lanes[at + 2] as number);
    d += factor * (lanes[at + 3] as number);
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}

function descend(
  { columns, hessian }: RowLoss,
  { scales }: LaneWeights,
  grid: IntegerRange,
  codes: Float64Array,
  gradients: Float64Array,
  lane: number,
): void {
  const gradient = Float64Array.from({ length: columns }, (_, k) => gradients[k * LANES + lane] as number);
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let hasChanged = false;
    for (let k = columns - 1; k >= 0; k--) {
      const row = k * columns;
      const at = k * LANES + lane;
      const scale = scales[at] as number;
      const steps = (gradient[k] as number) / ((hessian[row + k] as number) * scale);
      if (steps <= 0.5 && steps >= -0.5) continue;
      const before = codes[at] as number;
      const code = clamp(before - roundHalfEven(steps), grid);
      if (code === before) continue;
      hasChanged = true;
      codes[at] = code;
      const change = (code - before) * scale;
      for (let j = 0; j < columns; j++) {
        gradient[j] = (gradient[j] as number) + change * (hessian[row + j] as number);
      }
    }
    if (!hasChanged) return;
  }
}

function clamp(value: number, { min, max }: IntegerRange): number {
  return Math.min(max, Math.max(min, value));
}
