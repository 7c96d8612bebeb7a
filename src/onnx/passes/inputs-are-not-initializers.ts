import { allowFreeInitializers } from '../free-initializers.ts';
import type { OnnxModel } from '../model-file.ts';
import { type PassResult, passResult } from './pass-result.ts';

/**
 * Takes initializers off the list of graph inputs, where old exporters put them. What was a default that a caller could
 * replace becomes a constant, which is what makes it foldable and quantizable. Counts inputs taken off.
 * Changes the model in place; raises its IR version to 4 if need be.
 */
export function inputsAreNotInitializers({ proto }: OnnxModel): PassResult {
  const { graph } = proto;
  if (graph === undefined) return passResult(0);
  const constants = new Set([
    ...graph.initializer.map((tensor) => tensor.name),
    ...graph.sparseInitializer.map((sparse) => sparse.values?.name),
  ]);
  const inputs = graph.input.filter((value) => value.name === undefined || !constants.has(value.name));
  const count = graph.input.length - inputs.length;
  graph.input = inputs;
  if (count > 0) allowFreeInitializers(proto);
  return passResult(count);
}
