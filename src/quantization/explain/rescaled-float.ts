import { cloneMessage } from '../../onnx/clone-message.ts';
import type { GraphProto, NodeProto, TensorProto } from '../../onnx/messages.ts';
import { createNameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import { type GraphView, viewGraph } from '../graph-view.ts';
import { readFloats } from './coded-constant.ts';
import type { PairedNode, Pairing } from './pair-graphs.ts';

/**
 * The float32 model with its channels scaled as those of an equalized quantized model: it computes what it did, up to rounding, and its
 * inner tensors are those that the quantized model rounds. Biases are taken from the quantized model, which keeps them to far more digits
 * than weights. Undefined where no node is scaled. The graph of `view` stays. Throws `ProblemError` when constants cannot be read.
 */
export function rescaleFloat(view: GraphView, pairing: Pairing, quantized: GraphView): GraphView | undefined {
  const scaled = pairing.nodes.filter(({ weights }) => weights?.fit !== undefined);
  if (scaled.length === 0) return undefined;
  const names = createNameScope(view.graph);
  const initializers: TensorProto[] = [];
  const changed = new Map<NodeProto, NodeProto>();
  const add = (dims: readonly number[], values: Float32Array): string => {
    const name = names.fresh('scaled_like_codes');
    initializers.push(tensorFrom(name, dims, values));
    return name;
  };
  // A bias is scaled wherever what it is added to is, beside weights that fit as they are too.
  for (const pair of pairing.nodes) {
    const { float, weights } = pair;
    if (weights === undefined) continue;
    const copy = cloneMessage(float);
    if (weights.fit !== undefined) {
      copy.input[weights.inputIndex] = add(weights.float.dims, weights.fit);
      if (copy.opType === 'Gemm') copy.attribute = copy.attribute.filter(({ name }) => name !== 'alpha');
    }
    const bias = biasOf(pair, quantized);
    const place = weights.inputIndex + 1;
    if (bias !== undefined && (copy.input[place] ?? '') !== '')
      copy.input[place] = add(bias.dims, bias.values);
    changed.set(float, copy);
  }
  const graph: GraphProto = {
    ...view.graph,
    node: view.graph.node.map((node) => changed.get(node) ?? node),
    initializer: [...view.graph.initializer, ...initializers],
  };
  return viewGraph({ ...view.model, proto: { ...view.model.proto, graph } });
}

function biasOf(
  { quantized, weights }: PairedNode,
  { model, index }: GraphView,
): { readonly dims: readonly number[]; readonly values: Float32Array } | undefined {
  if (weights?.bias !== undefined) return { dims: weights.bias.dims, values: weights.bias.values() };
  const input = quantized.inputs[(weights?.inputIndex ?? 0) + 1];
  const tensor = input?.kind === 'float' ? index.initializers.get(input.name) : undefined;
  return tensor === undefined ? undefined : { dims: tensor.dims, values: readFloats(model, tensor) };
}
