import { ProblemError, problem } from '../../core/problem.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { ValueRange } from '../affine.ts';
import type { ObservedExtremes, ObservedValues } from './observation.ts';

/**
 * The extremes of one observed tensor in one run, widened to hold 0.
 * Throws `ProblemError` `non-finite-activation` that names tensor and sample.
 */
export function readExtremes(
  { tensor, maxOutput, minOutput }: ObservedExtremes,
  sample: number,
  outputs: NamedTensors,
): ValueRange {
  const max = extreme(outputs, maxOutput, (a, b) => a > b);
  const min = minOutput === undefined ? 0 : extreme(outputs, minOutput, (a, b) => a < b);
  if (!Number.isFinite(max) || !Number.isFinite(min)) throw nonFiniteActivation(tensor, sample);
  return { min: Math.min(0, min), max: Math.max(0, max) };
}

/** The values of one observed tensor in one run. */
export function readValues({ valuesOutput }: ObservedValues, outputs: NamedTensors): Float32Array {
  return float32Output(outputs, valuesOutput);
}

/** The most extreme element; NaN as soon as one element is NaN; 0 for a tensor without elements. */
function extreme(outputs: NamedTensors, name: string, beats: (a: number, b: number) => boolean): number {
  const values = float32Output(outputs, name);
  let best = values[0] ?? 0;
  for (const value of values) {
    if (Number.isNaN(value)) return Number.NaN;
    if (beats(value, best)) best = value;
  }
  return best;
}

function float32Output(outputs: NamedTensors, name: string): Float32Array {
  const values = outputs[name]?.data;
  if (!(values instanceof Float32Array)) throw new Error(`observer output ${name} is not a float32 tensor`);
  return values;
}

/** The problem of a tensor that holds NaN or infinity in one sample's run. */
export function nonFiniteActivation(tensor: string, sample: number): ProblemError {
  return new ProblemError(
    problem('non-finite-activation', `the model computes NaN or infinity in '${tensor}'`, {
      place: { tensor, sample },
      hint: 'check the preprocessing of that sample, or exclude the node that reads the tensor from quantization',
    }),
  );
}
