import { type Problem, problem } from '../core/problem.ts';
import { nodeLabel } from '../onnx/make-node.ts';
import { DATA_TYPE } from '../onnx/messages.ts';
import type { GraphView } from './graph-view.ts';

/**
 * The first float32 constant that holds NaN or infinity, with the first node that reads it. Reads all weights, so it is
 * for finding out why a model computes such values, not for every run.
 */
export function findNonFiniteConstant(view: GraphView): Problem<'non-finite-weight'> | undefined {
  for (const tensor of view.graph.initializer) {
    if (tensor.dataType !== DATA_TYPE.float || view.readFloats(tensor).every(Number.isFinite)) continue;
    const name = tensor.name ?? '';
    const reader = view.index.consumersOf.get(name)?.[0]?.node;
    return problem('non-finite-weight', `the constant '${name}' holds NaN or infinity`, {
      place: { ...(reader === undefined ? {} : { node: nodeLabel(reader) }), tensor: name },
      hint: 'the model gives NaN or infinity in float32 too: export it again from sound weights',
    });
  }
  return undefined;
}
