/** A weight that is further from a multiple of the step, in steps, is not on its lattice: float32 is off by less. */
const TOLERANCE = 1e-3;

/**
 * The largest step of which all `values` are integer multiples up to ±`mostSteps`; undefined where there is none. Weights
 * that were quantized before and written as float32, or trained with fake quantization, have one, and lose nothing on it.
 */
export function latticeStep(values: Float32Array, mostSteps: number): number | undefined {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (!(largest > 0)) return undefined;
  for (let steps = 1; steps <= mostSteps; steps++) {
    const step = largest / steps;
    if (values.every((value) => Math.abs(value / step - Math.round(value / step)) < TOLERANCE)) return step;
  }
  return undefined;
}
