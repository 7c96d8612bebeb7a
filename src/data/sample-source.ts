import type { ItemFacts } from '../core/item.ts';
import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { ElementType, NamedTensors } from '../core/tensor.ts';

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
  /** Undefined where they vary from sample to sample. */
  readonly dims: readonly number[] | undefined;
}

/** One query's inputs, and what is known about its item. */
export interface Sample extends ItemFacts {
  /** Holds the carried states only where a sequence starts: zeros. Between, the run before gives them. */
  readonly feeds: NamedTensors;
}

/** What is wrong with data: the kinds are those of its format, of the binding to the model, and of preprocessing. */
export type SampleProblem = Problem;

/** A sample that could not be read or prepared and was left out, as the data's `onBadSample` allows. */
export interface SkippedSample {
  readonly index: number;
  readonly id: string;
  readonly problem: SampleProblem;
}

export interface SampleRange {
  readonly start?: number;
  readonly end?: number;
  readonly step?: number;
}

/** The samples of one split, read one at a time and never held. */
export interface SampleSource {
  /** The file or folder, for messages. */
  readonly path: string;
  readonly count: number;
  readonly inputs: readonly SampleInput[];
  /** What the data holds and nobody asks for, such as arrays and files without a label: worth a warning. */
  readonly unused: readonly string[];
  /** Numbers made up to have something to compute with: they say nothing about accuracy. */
  readonly isMadeUp: boolean;
  /** One sample, at any position. Reading forward is fast for every kind of file. */
  read(index: number): Promise<Result<Sample, SampleProblem>>;
  /** Each `step`th sample from `start` up to and without `end`, in order, or why it is none; read ahead while the consumer computes. */
  results(range?: SampleRange): AsyncIterable<Result<Sample, SampleProblem>>;
  /** The same, where a bad sample is left out or ends everything with a `ProblemError`, as the data's `onBadSample` says. */
  samples(range?: SampleRange): AsyncIterable<Sample>;
  /** Whether a bad sample may be left out. */
  readonly skipsBadSamples: boolean;
  /** The samples that `samples` has left out so far, in order. */
  skipped(): readonly SkippedSample[];
  close(): Promise<void>;
}
