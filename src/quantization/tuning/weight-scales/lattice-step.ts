import { roundHalfEven } from '../../round-half-even.ts';

/** A weight that is further from a multiple of the step, in steps, is not on its lattice: float32 is off by less. */
const TOLERANCE = 1e-3;

/**
 * The largest step of which all `values` are integer multiples up to ±`mostSteps`; undefined where there is none. Weights
 * that were quantized before and written as float32, or trained with fake quantization, have one, and lose nothing on it.
 */
export function latticeStep(values: Float32Array, mostSteps: number): number | undefined {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] as number));
  if (!(largest > 0)) return undefined;
  for (let steps = 1; steps <= mostSteps; steps++) {
    if (areMultiples(values, largest / steps)) return largest / steps;
  }
  return undefined;
}

function areMultiples(values: Float32Array, step: number): boolean {
  for (let i = 0; i < values.length; i++) {
    const count = (values[i] as number) / step;
    if (!(Math.abs(count - roundHalfEven(count)) < TOLERANCE)) return false;
  }
  return true;
}
