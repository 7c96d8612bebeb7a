import type { IntegerRange } from '../affine.ts';
import { roundHalfEven } from '../round-half-even.ts';
import type { MatrixProduct } from './matrix-product.ts';
import type { RowLoss } from './row-loss.ts';

/** Places that are rounded one after another before what they lost is carried to all others in one product. */
const BLOCK = 32;

/** Sweeps over the weights of a channel in search of one whose code is better another. */
const MOST_SWEEPS = 4;

/**
 * Output channels that are rounded side by side, a lane each: place k of the loss's order of lane l is element
 * k·width + l of each array.
 */
export interface LaneWeights {
  readonly width: number;
  readonly values: Float64Array;
  /** Step of the grid. */
  readonly scales: Float64Array;
  readonly zeroPoints: Float64Array;
}

/** Arrays for `width` channels of `columns` zeros. */
export function createLanes(columns: number, width: number): LaneWeights & { readonly codes: Float64Array } {
  const array = () => new Float64Array(columns * width);
  return { width, values: array(), scales: array().fill(1), zeroPoints: array(), codes: array() };
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
export async function roundRows(
  loss: RowLoss,
  weights: LaneWeights,
  grid: IntegerRange,
  codes: Float64Array,
  multiply: MatrixProduct,
): Promise<void> {
  const { columns, hessian } = loss;
  const { width } = weights;
  const errors = await roundInTurn(loss, weights, grid, codes, multiply);
  // H times the weights minus the rounded weights.
  const pulls = await multiply(hessian, errors, { rows: columns, inner: columns, columns: width });
  const room = { gradient: new Float64Array(columns), halfSteps: new Float64Array(columns) };
  for (let lane = 0; lane < width; lane++) descend(loss, weights, grid, codes, pulls, lane, room);
}

/** Rounds from the last place to the first. @returns the weights minus the rounded weights */
async function roundInTurn(
  loss: RowLoss,
  weights: LaneWeights,
  grid: IntegerRange,
  codes: Float64Array,
  multiply: MatrixProduct,
): Promise<Float32Array> {
  const { columns } = loss;
  const { width } = weights;
  const errors = new Float32Array(columns * width);
  for (let end = columns; end > 0; end -= BLOCK) {
    const start = Math.max(0, end - BLOCK);
    const carried =
      end === columns
        ? new Float32Array((end - start) * width)
        : await multiply(factorsBeyond(loss, start, end), errors.subarray(end * width), {
            rows: end - start,
            inner: columns - end,
            columns: width,
          });
    roundBlock(loss, weights, grid, { start, end, carried, errors, codes });
  }
  return errors;
}

/** Lᵀ of the rows `start` to `end` and all columns from `end` on. */
function factorsBeyond({ columns, factor }: RowLoss, start: number, end: number): Float32Array {
  const length = columns - end;
  const beyond = new Float32Array((end - start) * length);
  for (let k = start; k < end; k++) {
    beyond.set(factor.subarray(k * columns + end, (k + 1) * columns), (k - start) * length);
  }
  return beyond;
}

interface BlockInTurn {
  readonly start: number;
  readonly end: number;
  /** What the places beyond have lost, as it is to be made up for. */
  readonly carried: Float32Array;
  readonly errors: Float32Array;
  readonly codes: Float64Array;
}

function roundBlock(
  { columns, factor }: RowLoss,
  { width, values, scales, zeroPoints }: LaneWeights,
  grid: IntegerRange,
  { start, end, carried, errors, codes }: BlockInTurn,
): void {
  const own = new Float64Array(width);
  for (let k = end - 1; k >= start; k--) {
    const offset = (k - start) * width;
    for (let lane = 0; lane < width; lane++) own[lane] = carried[offset + lane] as number;
    for (let j = k + 1; j < end; j++) {
      const share = factor[k * columns + j] as number;
      const from = j * width;
      for (let lane = 0; lane < width; lane++) {
        own[lane] = (own[lane] as number) + share * (errors[from + lane] as number);
      }
    }
    const pivot = factor[k * columns + k] as number;
    for (let lane = 0; lane < width; lane++) {
      const at = k * width + lane;
      const value = values[at] as number;
      const scale = scales[at] as number;
      const zeroPoint = zeroPoints[at] as number;
      const wanted = value + (own[lane] as number) / pivot;
      const code = clamp(roundHalfEven(wanted / scale) + zeroPoint, grid);
      codes[at] = code;
      errors[at] = value - (code - zeroPoint) * scale;
    }
  }
}

function descend(
  { columns, hessian }: RowLoss,
  { width, scales }: LaneWeights,
  grid: IntegerRange,
  codes: Float64Array,
  pulls: Float32Array,
  lane: number,
  { gradient, halfSteps }: { readonly gradient: Float64Array; readonly halfSteps: Float64Array },
): void {
  for (let k = 0, at = lane; k < columns; k++, at += width) {
    gradient[k] = -(pulls[at] as number);
    // A gradient that is no larger has its lowest point nearer to this code than to the next.
    halfSteps[k] = 0.5 * (hessian[k * columns + k] as number) * (scales[at] as number);
  }
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let hasChanged = false;
    for (let k = columns - 1; k >= 0; k--) {
      const pull = gradient[k] as number;
      const half = halfSteps[k] as number;
      if (pull <= half && pull >= -half) continue;
      const at = k * width + lane;
      const before = codes[at] as number;
      const code = clamp(before - roundHalfEven(pull / (2 * half)), grid);
      if (code === before) continue;
      hasChanged = true;
      codes[at] = code;
      const change = (code - before) * (scales[at] as number);
      addScaled(gradient, hessian, k * columns, change);
    }
    if (!hasChanged) return;
  }
}

/** Adds a row of a matrix, times a factor. Four elements at a time take half as long as one. */
function addScaled(sum: Float64Array, matrix: Float32Array, start: number, factor: number): void {
  const length = sum.length;
  const whole = length - (length % 4);
  for (let j = 0; j < whole; j += 4) {
    const from = start + j;
    sum[j] = (sum[j] as number) + factor * (matrix[from] as number);
    sum[j + 1] = (sum[j + 1] as number) + factor * (matrix[from + 1] as number);
    sum[j + 2] = (sum[j + 2] as number) + factor * (matrix[from + 2] as number);
    sum[j + 3] = (sum[j + 3] as number) + factor * (matrix[from + 3] as number);
  }
  for (let j = whole; j < length; j++) {
    sum[j] = (sum[j] as number) + factor * (matrix[start + j] as number);
  }
}

function clamp(value: number, { min, max }: IntegerRange): number {
  return Math.min(max, Math.max(min, value));
}
