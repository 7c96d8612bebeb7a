import type { NamedTensors } from '../../core/tensor.ts';
import type { OnnxModel } from '../../onnx/model-file.ts';

/** One run of a model on a sample to learn from. */
export interface LearningRun {
  readonly sample: number;
  readonly feeds: NamedTensors;
  readonly outputs: NamedTensors;
}

/**
 * Runs a model over the samples to learn from, or over `limit` of them, evenly spread, and gives its outputs, one sample at a time.
 * Outputs may be added to the graph to see what is inside.
 */
export type Learn = (model: OnnxModel, limit?: number) => AsyncIterable<LearningRun>;
