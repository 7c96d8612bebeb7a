import { roundHalfEven } from './round-half-even.ts';

/** real = (quantized − zeroPoint) · scale. `scale` is a float32 value. */
export interface AffineParameters {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The lowest and highest real value that a tensor was seen to take. */
export interface ValueRange {
  readonly min: number;
  readonly max: number;
}

/** An integer grid, such as 0…255. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** Symmetric: −128 stays unused, so that a weight and its negative have codes of equal size. */
export const INT8_SYMMETRIC: IntegerRange = { min: -127, max: 127 };
/** Seven bits, for processors that add pairs of u8·s8 products in 16 bits and saturate. */
export const INT8_REDUCED: IntegerRange = { min: -64, max: 64 };

export const SMALLEST_NORMAL_FLOAT32 = 1.1754943508222875e-38;

/**
 * Parameters for an activation: the range is widened to hold 0 exactly, as padding and ReLU need it.
 * The width of the range is rounded to float32, the division is in float64, and its result is rounded to float32 again.
 * A range too small for a float32 scale gives scale 1.
 * Source: ONNX QuantizeLinear; onnxruntime.quantization quant_utils.compute_scale_zp gives the same figures.
 */
export function asymmetricParameters(range: ValueRange, grid: IntegerRange): AffineParameters {
  const min = Math.min(range.min, 0);
  const max = Math.max(range.max, 0);
  const width = Math.fround(max - min);
  // Both ends fit into float32, but their distance may not.
  const scale = (Number.isFinite(width) ? width : max - min) / (grid.max - grid.min);
  if (!(scale >= SMALLEST_NORMAL_FLOAT32)) return { scale: 1, zeroPoint: grid.min };
  const zeroPoint = roundHalfEven(grid.min - min / scale);
  return { scale: Math.fround(scale), zeroPoint: clamp(zeroPoint, grid) };
}

/** Scale of a symmetric grid (zero point 0) that holds ±`absMax`; 1 when `absMax` is too small for a float32 scale. */
export function symmetricScale(absMax: number, grid: IntegerRange): number {
  const scale = (2 * absMax) / (grid.max - grid.min);
  return scale >= SMALLEST_NORMAL_FLOAT32 ? Math.fround(scale) : 1;
}

/** Writes the codes of `values` into `codes`, whose type must hold the grid, and returns it. */
export function quantizeValues<Codes extends { [index: number]: number }>(
  values: Float32Array,
  { scale, zeroPoint }: AffineParameters,
  grid: IntegerRange,
  codes: Codes,
): Codes {
  for (let i = 0; i < values.length; i++) {
    // The quotient is rounded to float32 first because ONNX Runtime divides in float32.
    const quotient = Math.fround((values[i] as number) / scale);
    (codes as { [index: number]: number })[i] = clamp(roundHalfEven(quotient) + zeroPoint, grid);
  }
  return codes;
}

function clamp(value: number, { min, max }: IntegerRange): number {
  return Math.min(max, Math.max(min, value));
}

/** How a weight tensor splits along its channel axis: element (o, c, i) lies at (o·channels + c)·inner + i. */
export interface ChannelLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

export function channelLayout(dims: readonly number[], axis: number): ChannelLayout {
  const product = (part: readonly number[]) => part.reduce((a, b) => a * b, 1);
  return {
    outer: product(dims.slice(0, axis)),
    channels: dims[axis] ?? 1,
    inner: product(dims.slice(axis + 1)),
  };
}

/** The largest magnitude of each channel, float64 [channels]. NaN anywhere in a channel makes its figure NaN. */
export function channelAbsMax(
  weights: Float32Array,
  { outer, channels, inner }: ChannelLayout,
): Float64Array {
  const absMax = new Float64Array(channels);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      let largest = absMax[c] as number;
      // `Math.max` gives NaN for NaN, which then stays.
      for (const end = at + inner; at < end; at++)
        largest = Math.max(largest, Math.abs(weights[at] as number));
      absMax[c] = largest;
    }
  }
  return absMax;
}

/** Codes of `weights` with one symmetric scale a channel, int8, same element order. */
export function quantizeChannels(
  weights: Float32Array,
  { outer, channels, inner }: ChannelLayout,
  scales: Float32Array,
  grid: IntegerRange,
): Int8Array {
  const { min, max } = grid;
  const codes = new Int8Array(weights.length);
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const scale = scales[c] as number;
      for (const end = at + inner; at < end; at++) {
        // The quotient is rounded to float32 first because ONNX Runtime divides in float32.
        const code = roundHalfEven(Math.fround((weights[at] as number) / scale));
        codes[at] = Math.min(max, Math.max(min, code));
      }
    }
  }
  return codes;
}
