// Adding and taking away 1.5·2^52 leaves no fraction bits in a float64, so the hardware's own rounding (to nearest,
// ties to even) does the work. It holds for magnitudes below 2^51, far beyond any quantized value.
const SHIFT = 6755399441055744;

/**
 * Rounds to the nearest integer, ties to the even one, as ONNX QuantizeLinear does. `Math.round` sends ties up.
 * @param value magnitude below 2^51
 */
export function roundHalfEven(value: number): number {
  return value + SHIFT - SHIFT;
}
