import { SMALLEST_NORMAL_FLOAT32 } from './affine.ts';
import { roundHalfEven } from './round-half-even.ts';

const INT32_MAX = 2 ** 31 - 1;
/** The kernels add the bias to the sum of products in int32; half of its range is left to that sum. */
const LARGEST_BIAS_CODE = 2 ** 30;

/**
 * Raises weight scales until every bias fits its int32 code, because the code's step is inputScale · weightScale and a
 * channel of tiny weights can carry an ordinary bias. Weights that vanish on their grid (all 0, or too small for a
 * float32 scale) take the smallest scale that still holds the bias, so that all precision goes to the bias.
 * @param weightScales float32 [channels], or [1] for one scale over all channels
 * @param absMax the largest weight behind each scale
 * @returns float32 of the same length; never smaller than what came in, except where the weights vanish
 */
export function scalesThatHoldBias(
  weightScales: Float32Array,
  absMax: Float64Array,
  inputScale: number,
  bias: Float32Array,
): Float32Array {
  const largestBias = bias.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return weightScales.map((scale, channel) => {
    const biasMagnitude = weightScales.length === 1 ? largestBias : Math.abs(bias[channel] ?? 0);
    if (biasMagnitude === 0) return scale;
    const needed = Math.max(SMALLEST_NORMAL_FLOAT32, biasMagnitude / LARGEST_BIAS_CODE / inputScale);
    const weightsVanish = (absMax[channel] ?? 0) / scale < 0.5;
    return weightsVanish ? needed : Math.max(scale, needed);
  });
}

/**
 * int32 codes of a bias with scale inputScale · weightScale and zero point 0.
 * Source: ONNX QLinearConv, «bias»; the runtime never reads the bias scale and takes it to be this product.
 * @returns the codes, and the float32 scale of each (one, or one a channel)
 */
export function quantizeBias(
  bias: Float32Array,
  inputScale: number,
  weightScales: Float32Array,
): { readonly codes: Int32Array; readonly scales: Float32Array } {
  const scales = weightScales.map((scale) => inputScale * scale);
  const codes = Int32Array.from(bias, (value, channel) => {
    const product = inputScale * ((weightScales[channel] ?? weightScales[0]) as number);
    const stated = Math.fround(product);
    // The scale that the file states gives the bias back most closely, unless it is too small to be stated well.
    const step = stated >= SMALLEST_NORMAL_FLOAT32 ? stated : product;
    return Math.min(INT32_MAX, Math.max(-INT32_MAX, roundHalfEven(value / step)));
  });
  return { codes, scales };
}
