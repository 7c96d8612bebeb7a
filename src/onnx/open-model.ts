import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { ElementType, RunBatch } from '../core/tensor.ts';
import type { OnnxModel } from './model-file.ts';

/** A model that a runtime has loaded, as far as graph passes need it. */
export interface OpenedModel {
  /**
   * What the runtime knows of the outputs before it computes. A dimension that it cannot tell is a string; a tensor
   * whose rank it cannot tell looks like a scalar.
   */
  readonly outputs: readonly {
    readonly name: string;
    readonly type: ElementType;
    readonly dims: readonly (number | string)[];
  }[];
  readonly run: RunBatch;
  close(): Promise<void>;
}

/**
 * Loads a model into a runtime, which leaves the graph as it is. This room has no runtime of its own: passes that let
 * one compute take it as an argument.
 */
export type OpenModel = (model: OnnxModel) => Promise<Result<OpenedModel, Problem>>;
