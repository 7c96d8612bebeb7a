import { type GraphIndex, hasOneReader } from '../../onnx/graph-index.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import { compareWeights, type WeightsPair } from './compare-weights.ts';
import type { QuantizedGraph, QuantizedNode, RoundedTensor } from './quantized-graph.ts';

/** A quantized node and the float32 node that it was made of. */
export interface PairedNode {
  readonly quantized: QuantizedNode;
  readonly float: NodeProto;
  /** The tensor of the float32 model that its result stands for: behind the activation that its grid does the work of. */
  readonly output: string;
  /** Of a node with coded weights. */
  readonly weights: WeightsPair | undefined;
}

export interface UnpairedNode {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

export interface Pairing {
  readonly nodes: readonly PairedNode[];
  readonly unpaired: readonly UnpairedNode[];
  /** What is rounded, by the tensor of the float32 model. */
  readonly rounded: ReadonlyMap<string, RoundedTensor>;
}

/** What tools add to the name of a node when they quantize it. */
const SUFFIX = /(_quant|_quantized|_QLinear|_MatMulInteger|_ConvInteger)(_\d+)?$/;

/**
 * Finds for each quantized node the one of the float32 model: by its name, by the name of its result, or as the one node of that
 * operator that reads what it reads. Throws `ProblemError` when weights cannot be read.
 */
export function pairGraphs(quantized: QuantizedGraph, quantizedView: GraphView, float: GraphView): Pairing {
  const byName = new Map(float.graph.node.map((node) => [node.name ?? '', node]));
  const tensors = new Map<string, string>();
  const rounded = new Map<string, RoundedTensor>();
  const taken = new Set<NodeProto>();
  const nodes: PairedNode[] = [];
  const unpaired: UnpairedNode[] = [];
  const pairTensor = (tensor: RoundedTensor, name: string) => {
    tensors.set(tensor.id, name);
    if (!rounded.has(name)) rounded.set(name, tensor);
  };
  const isTensor = (name: string) => float.index.producerOf.has(name) || float.index.inputs.has(name);

  const find = (node: QuantizedNode): NodeProto | undefined => {
    const isLike = (other: NodeProto | undefined): boolean =>
      other !== undefined && isSameOperator(node.op, other.opType) && !taken.has(other);
    const named = byName.get(node.name) ?? byName.get(node.name.replace(SUFFIX, ''));
    if (isLike(named)) return named;
    const results = [node.output, ...(node.rounded?.aliases ?? [])];
    for (const result of results) {
      const producer = float.index.producerOf.get(result);
      if (isLike(producer)) return producer;
      const before = isActivation(producer)
        ? float.index.producerOf.get(producer?.input[0] ?? '')
        : undefined;
      if (isLike(before)) return before;
    }
    const reads = node.inputs.flatMap((input) => {
      if (input.kind === 'coded') return [];
      return tensors.get(input.kind === 'rounded' ? input.tensor.id : input.name) ?? [];
    });
    const readers = (float.index.consumersOf.get(reads[0] ?? '') ?? [])
      .map((consumer) => consumer.node)
      .filter((other) => isLike(other) && reads.every((name) => other.input.includes(name)));
    return new Set(readers).size === 1 ? readers[0] : undefined;
  };

  for (const node of quantized.nodes) {
    for (const input of node.inputs) {
      if (input.kind !== 'rounded' || tensors.has(input.tensor.id)) continue;
      const alias = input.tensor.aliases.find((name) => float.index.inputs.has(name));
      if (alias !== undefined) pairTensor(input.tensor, alias);
    }
    const found = find(node);
    const weights = found === undefined ? undefined : compareWeights(node, found, float);
    const reason =
      found === undefined
        ? 'the float32 model has no node of that name, result or place'
        : typeof weights === 'string'
          ? weights
          : undefined;
    if (found === undefined || reason !== undefined) {
      unpaired.push({ node: node.name, op: node.op, reason: reason as string });
      const alias = node.rounded?.aliases.find(isTensor);
      if (node.rounded !== undefined && alias !== undefined) pairTensor(node.rounded, alias);
      continue;
    }
    taken.add(found);
    const output = resultOf(found, node, float.index, quantizedView.index);
    for (const [place, input] of node.inputs.entries()) {
      const name = found.input[place] ?? '';
      if (input.kind === 'rounded' && name !== '' && isTensor(name) && !tensors.has(input.tensor.id)) {
        pairTensor(input.tensor, name);
      }
    }
    if (node.rounded !== undefined) pairTensor(node.rounded, output);
    nodes.push({ quantized: node, float: found, output, weights: weights as WeightsPair | undefined });
  }
  const unread = quantized.unread.map(({ node, op }) => ({
    node,
    op,
    reason: 'how it computes with codes is not known here',
  }));
  return { nodes, unpaired: [...unpaired, ...unread], rounded };
}

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm']);

function isSameOperator(op: string, other: string | undefined): boolean {
  return op === other || (PRODUCTS.has(op) && PRODUCTS.has(other ?? ''));
}

function isActivation(node: NodeProto | undefined): boolean {
  return node?.opType === 'Relu' || node?.opType === 'Clip';
}

/** A Relu or Clip that the quantized model leaves to the grid of the result belongs to the node before it. */
function resultOf(
  found: NodeProto,
  { output, rounded }: QuantizedNode,
  float: GraphIndex,
  quantized: GraphIndex,
): string {
  const result = found.output[0] ?? '';
  const reader = hasOneReader(result, float) ? float.consumersOf.get(result)?.[0]?.node : undefined;
  if (rounded === undefined || reader === undefined || !isActivation(reader)) return result;
  const isKept = [output, ...rounded.aliases].some((name) =>
    quantized.consumersOf.get(name)?.some(({ node }) => node.opType === reader.opType),
  );
  return isKept ? result : (reader.output[0] ?? result);
}

/** How many of the nodes that can be measured are paired: what to choose between two forms of the float32 model by. */
export function pairedWeights({ nodes }: Pairing): number {
  return nodes.filter(({ weights }) => weights !== undefined).length;
}

export function labelOf({ float }: PairedNode): string {
  return nodeLabel(float);
}
