import { roundHalfEven } from './round-half-even.ts';

const INT32_MAX = 2 ** 31 - 1;
/** Left free above the largest bias, so that rounding cannot step over the int32 limit. */
const HEADROOM = 1.0001;

/**
 * Raises weight scales until every bias fits its int32 code, because the code's step is inputScale · weightScale and a
 * channel of tiny weights can carry an ordinary bias. A channel without weights (`absMax` 0) takes the smallest scale
 * that still holds its bias: its weights are 0 on any grid, so all precision goes to the bias.
 * @param weightScales float32 [channels], or [1] for one scale over all channels
 * @returns float32 of the same length; never smaller than what came in, except for channels without weights
 */
export function scalesThatHoldBias(
  weightScales: Float32Array,
  absMax: Float64Array,
  inputScale: number,
  bias: Float32Array,
): Float32Array {
  const smallestFor = (biasValue: number) =>
    (HEADROOM * 2 * Math.abs(biasValue)) / (2 * INT32_MAX) / inputScale;
  if (weightScales.length === 1) {
    const needed = bias.reduce((largest, value) => Math.max(largest, smallestFor(value)), 0);
    return Float32Array.of(Math.max(weightScales[0] as number, needed));
  }
  return weightScales.map((scale, channel) => {
    const needed = smallestFor(bias[channel] ?? 0);
    return absMax[channel] === 0 && needed > 0 ? needed : Math.max(scale, needed);
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
    const step = inputScale * ((weightScales[channel] ?? weightScales[0]) as number);
    return Math.min(INT32_MAX, Math.max(-INT32_MAX, roundHalfEven(value / step)));
  });
  return { codes, scales };
}
