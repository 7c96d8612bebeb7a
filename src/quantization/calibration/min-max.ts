import { type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { ValueRange } from '../affine.ts';
import type { ObservedTensor } from './observation.ts';

export type NonFiniteProblem = Problem<'non-finite-activation'>;

/** Keeps the running extremes of every observed tensor: memory does not grow with the samples. */
export interface MinMaxObserver {
  /** Takes the outputs of one run. Throws `ProblemError` (`non-finite-activation`) that names tensor and sample. */
  add(sample: number, outputs: NamedTensors): void;
  ranges(): ReadonlyMap<string, ValueRange>;
}

export function createMinMaxObserver(observed: readonly ObservedTensor[]): MinMaxObserver {
  const ranges = new Map<string, { min: number; max: number }>();
  for (const { tensor } of observed) ranges.set(tensor, { min: 0, max: 0 });
  return {
    add: (sample, outputs) => {
      for (const { tensor, maxOutput, minOutput } of observed) {
        const range = ranges.get(tensor) as { min: number; max: number };
        const max = extreme(outputs, maxOutput, (a, b) => a > b);
        const min = minOutput === undefined ? 0 : extreme(outputs, minOutput, (a, b) => a < b);
        if (!Number.isFinite(max) || !Number.isFinite(min)) throw nonFinite(tensor, sample);
        range.max = Math.max(range.max, max);
        range.min = Math.min(range.min, min);
      }
    },
    ranges: () => ranges,
  };
}

/** The most extreme element; NaN as soon as one element is NaN; 0 for a tensor without elements. */
function extreme(outputs: NamedTensors, name: string, beats: (a: number, b: number) => boolean): number {
  const values = outputs[name]?.data;
  if (!(values instanceof Float32Array)) throw new Error(`observer output ${name} is not a float32 tensor`);
  let best = values[0] ?? 0;
  for (const value of values) {
    if (Number.isNaN(value)) return Number.NaN;
    if (beats(value, best)) best = value;
  }
  return best;
}

function nonFinite(tensor: string, sample: number): ProblemError {
  return new ProblemError(
    problem('non-finite-activation', `the model computes NaN or infinity in '${tensor}'`, {
      place: { tensor, sample },
      hint: 'check the preprocessing of that sample, or exclude the node that reads the tensor from quantization',
    }),
  );
}
