import { type GraphIndex, hasOneReader } from '../../onnx/graph-index.ts';
import type { NodeProto } from '../../onnx/messages.ts';
import type { GraphView } from '../graph-view.ts';
import { compareWeights, type WeightsPair } from './compare-weights.ts';
import type { QuantizedGraph, QuantizedNode, RoundedTensor } from './quantized-node.ts';

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
  const known = createKnownPairs(float);
  const nodes: PairedNode[] = [];
  const unpaired: UnpairedNode[] = [];
  for (const node of quantized.nodes) {
    known.noteInputs(node);
    const found = known.find(node);
    const weights = found === undefined ? NOT_FOUND : compareWeights(node, found, float);
    if (found === undefined || typeof weights === 'string') {
      unpaired.push({ node: node.name, op: node.op, reason: weights as string });
      known.noteResultByName(node);
      continue;
    }
    const output = resultOf(found, node, float.index, quantizedView.index);
    known.notePair(node, found, output);
    nodes.push({ quantized: node, float: found, output, weights });
  }
  const unread = quantized.unread.map(({ node, op }) => ({
    node,
    op,
    reason: 'how it computes with codes is not known here',
  }));
  return { nodes, unpaired: [...unpaired, ...unread], rounded: known.rounded };
}

const NOT_FOUND = 'the float32 model has no node of that name, result or place';

/** Which tensors and nodes of both models are known to belong together, while one goes through the quantized model in its order. */
function createKnownPairs({ graph, index }: GraphView) {
  const byName = new Map(graph.node.map((node) => [node.name ?? '', node]));
  const tensors = new Map<string, string>();
  const rounded = new Map<string, RoundedTensor>();
  const taken = new Set<NodeProto>();
  const isTensor = (name: string) => index.producerOf.has(name) || index.inputs.has(name);
  const pairTensor = (tensor: RoundedTensor, name: string) => {
    if (tensors.has(tensor.id)) return;
    tensors.set(tensor.id, name);
    if (!rounded.has(name)) rounded.set(name, tensor);
  };
  const isFree = (op: string, other: NodeProto | undefined): boolean =>
    other !== undefined && isSameOperator(op, other.opType) && !taken.has(other);
  const byResult = ({ op, output, rounded: given }: QuantizedNode): NodeProto | undefined => {
    for (const result of [output, ...(given?.aliases ?? [])]) {
      const producer = index.producerOf.get(result);
      if (isFree(op, producer)) return producer;
      const before = isActivation(producer) ? index.producerOf.get(producer?.input[0] ?? '') : undefined;
      if (isFree(op, before)) return before;
    }
    return undefined;
  };
  const byPlace = ({ op, inputs }: QuantizedNode): NodeProto | undefined => {
    const reads = inputs.flatMap((input) => {
      if (input.kind === 'coded') return [];
      return tensors.get(input.kind === 'rounded' ? input.tensor.id : input.name) ?? [];
    });
    const readers = (index.consumersOf.get(reads[0] ?? '') ?? [])
      .map((consumer) => consumer.node)
      .filter((other) => isFree(op, other) && reads.every((name) => other.input.includes(name)));
    return new Set(readers).size === 1 ? readers[0] : undefined;
  };
  return {
    rounded,
    find: (node: QuantizedNode): NodeProto | undefined => {
      const named = byName.get(node.name) ?? byName.get(node.name.replace(SUFFIX, ''));
      return isFree(node.op, named) ? named : (byResult(node) ?? byPlace(node));
    },
    /** Inputs of the model go by their names. */
    noteInputs: ({ inputs }: QuantizedNode): void => {
      for (const input of inputs) {
        if (input.kind !== 'rounded') continue;
        const alias = input.tensor.aliases.find((name) => index.inputs.has(name));
        if (alias !== undefined) pairTensor(input.tensor, alias);
      }
    },
    /** What is rounded behind a node that was not found may be known all the same. */
    noteResultByName: ({ rounded: given }: QuantizedNode): void => {
      const alias = given?.aliases.find(isTensor);
      if (given !== undefined && alias !== undefined) pairTensor(given, alias);
    },
    notePair: ({ inputs, rounded: given }: QuantizedNode, found: NodeProto, output: string): void => {
      taken.add(found);
      for (const [place, input] of inputs.entries()) {
        const name = found.input[place] ?? '';
        if (input.kind === 'rounded' && isTensor(name)) pairTensor(input.tensor, name);
      }
      if (given !== undefined) pairTensor(given, output);
    },
  };
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

/** How many weights were found again: what to choose between two forms of the float32 model by. */
export interface WeightsFound {
  /** Those of which no channel was scaled. */
  readonly asTheyAre: number;
  readonly all: number;
}

export function weightsFound({ nodes }: Pairing): WeightsFound {
  const paired = nodes.flatMap(({ weights }) => weights ?? []);
  return { asTheyAre: paired.filter(({ fit }) => fit === undefined).length, all: paired.length };
}
