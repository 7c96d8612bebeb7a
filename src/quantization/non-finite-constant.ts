import { type Problem, ProblemError, problem } from '../core/problem.ts';
import { nodeLabel } from '../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../onnx/messages.ts';
import type { GraphView } from './graph-view.ts';

/** What to throw where the weights of a node to be quantized hold NaN or infinity. */
export function nonFiniteWeight(node: NodeProto, tensor: TensorProto): ProblemError<'non-finite-weight'> {
  return new ProblemError(
    problem('non-finite-weight', `the constant '${tensor.name}' holds NaN or infinity`, {
      place: { node: nodeLabel(node), tensor: tensor.name ?? '' },
      hint: 'repair the model, or exclude the node from quantization',
    }),
  );
}

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
