import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { ElementType, NamedTensors } from '../core/tensor.ts';
import type { NpzProblem } from './npz.ts';

/** An input that the model needs. A dimension that is a name or negative is free; no `dims` is an unknown rank. */
export interface ModelInput {
  readonly name: string;
  readonly type: ElementType;
  readonly dims?: readonly (number | string)[];
}

/** Whether a dimension of a model's input or output can have any size. */
export function isFreeDim(dim: number | string): boolean {
  return typeof dim === 'string' || dim < 0;
}

/** What the source feeds for one model input: the model's element type, and the dimensions of one sample. */
export interface SampleInput {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
}

/** One query's inputs. */
export interface Sample {
  /** Position in the split, from 0. */
  readonly index: number;
  /** Holds the carried states only where a sequence starts: zeros. Between, the run before gives them. */
  readonly feeds: NamedTensors;
}

export type SampleProblem = Problem<
  | NpzProblem['kind']
  | 'split-missing'
  | 'input-missing'
  | 'dtype-mismatch'
  | 'shape-mismatch'
  | 'sample-count-mismatch'
  | 'no-samples'
  | 'value-unrepresentable'
  | 'labels-invalid'
  | 'sequence-invalid'
  | 'state-invalid'
  | 'state-shape-unknown'
>;

/** The samples of one split, read one at a time and never held. */
export interface SampleSource {
  readonly count: number;
  readonly inputs: readonly SampleInput[];
  /** Arrays of the split that the model does not ask for: worth a warning. */
  readonly unusedArrays: readonly string[];
  /** One sample, at any position. Reading forward is fast for every kind of file. */
  read(index: number): Promise<Result<Sample, SampleProblem>>;
  /** Samples from `start` up to and without `end`, in order. Rejects with a `ProblemError` of a `SampleProblem`. */
  samples(range?: { readonly start?: number; readonly end?: number }): AsyncIterable<Sample>;
  /** One class index per sample, or undefined when the file has no labels for this split. */
  labels(): Promise<Result<Int32Array | undefined, SampleProblem>>;
  close(): Promise<void>;
}
