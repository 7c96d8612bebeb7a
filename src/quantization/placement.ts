import { stringAttribute } from '../onnx/attributes.ts';
import { type GraphIndex, hasOneReader } from '../onnx/graph-index.ts';
import { isDefaultDomain, nodeLabel } from '../onnx/make-node.ts';
import { DATA_TYPE, type NodeProto, type TensorProto } from '../onnx/messages.ts';
import { absorbedActivation } from './absorbed-activation.ts';
import { type AnchorWeights, anchorRefusal, anchorWeights } from './anchors.ts';
import type { GraphView } from './graph-view.ts';
import { isBoundToLayout } from './layout-guards.ts';
import { scopeRefusal } from './node-selection.ts';
import { int8PoolingDiffers, operatorRule } from './operators.ts';
import type { StaticRecipe } from './recipe.ts';

/** A node that will run in int8. */
export interface PlannedNode {
  readonly node: NodeProto;
  /** Names of its activation inputs, constants among them excluded. */
  readonly activations: readonly string[];
  /** Float constants that stand for activations. */
  readonly constants: readonly TensorProto[];
  readonly weights: AnchorWeights | undefined;
  /** The tensors whose Q/DQ pair ends the node; empty where the kernel gives float32 itself. */
  readonly outputEdges: readonly string[];
  /** A Relu or Clip between the node and its Q, which the runtime folds into the rounding. */
  readonly absorbed: NodeProto | undefined;
}

export interface FloatNode {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

export interface Placement {
  readonly nodes: readonly PlannedNode[];
  /** Each tensor that gets Q and DQ, with the tensor whose range it takes (itself, or the source of a pass-through). */
  readonly edges: ReadonlyMap<string, string>;
  /** Edges whose producer runs in int8; the others are int8 copies beside a float tensor. */
  readonly producedInInt8: ReadonlySet<string>;
  /** Nodes that could carry int8 weights or that the recipe excludes, and why they stay float. */
  readonly float: readonly FloatNode[];
}

/** Names of nodes that stay float32 although the recipe would quantize them, each with the reason in words. */
export type LeftFloat = ReadonlyMap<string, string>;

interface Candidate extends PlannedNode {
  readonly passThrough: boolean;
}

/**
 * Chooses what runs in int8, by what the runtime really fuses: the anchors (Conv, Gemm, MatMul with constant weights),
 * and between them those operators that would otherwise break the int8 path. An operator after the last anchor stays
 * float, because there int8 only costs accuracy.
 * @param view a prepared model: constants are initializers, BatchNorm is folded, nodes are in topological order
 * @param left what was found to be better off in float32
 */
export function placeQuantization(
  view: GraphView,
  recipe: StaticRecipe,
  left: LeftFloat = new Map(),
): Placement {
  const float: FloatNode[] = [];
  const candidates = collectCandidates(view, { recipe, left }, float);
  const kept = keepWhatReachesAnchors(candidates);
  const producedInInt8 = new Set(kept.flatMap(({ outputEdges }) => outputEdges));
  return { nodes: kept, edges: groupEdges(kept, view.index), producedInInt8, float };
}

function collectCandidates(
  view: GraphView,
  { recipe, left }: { readonly recipe: StaticRecipe; readonly left: LeftFloat },
  float: FloatNode[],
): Candidate[] {
  const candidates: Candidate[] = [];
  // Tensors that exist in int8 if every candidate so far is kept.
  const available = new Set<string>();
  for (const node of view.graph.node) {
    const rule = isDefaultDomain(node.domain) ? operatorRule(node.opType ?? '') : undefined;
    if (rule === undefined) continue;
    const refuse = (reason: string) => {
      if (rule.role === 'anchor') float.push({ node: nodeLabel(node), op: node.opType ?? '', reason });
    };
    const outOfScope = scopeRefusal(node, recipe) ?? left.get(node.name ?? '');
    if (outOfScope !== undefined) {
      float.push({ node: nodeLabel(node), op: node.opType ?? '', reason: outOfScope });
      continue;
    }
    const candidate =
      rule.role === 'anchor' ? anchorCandidate(node, view, refuse) : relayCandidate(node, view, available);
    if (candidate === undefined) continue;
    candidates.push(candidate);
    for (const edge of [...candidate.activations, ...candidate.outputEdges]) available.add(edge);
  }
  return candidates;
}

function anchorCandidate(
  node: NodeProto,
  view: GraphView,
  refuse: (reason: string) => void,
): Candidate | undefined {
  const refusal = anchorRefusal(node, view.index);
  if (refusal !== undefined) {
    refuse(refusal);
    return undefined;
  }
  return {
    node,
    activations: [node.input[0] as string],
    constants: [],
    weights: anchorWeights(node, view.index),
    ...outputOf(node, view),
    passThrough: false,
  };
}

function relayCandidate(
  node: NodeProto,
  view: GraphView,
  available: ReadonlySet<string>,
): Candidate | undefined {
  const { index, types } = view;
  const rule = operatorRule(node.opType ?? '');
  if (rule === undefined || !relayFuses(node)) return undefined;
  const inputs = rule.activations === 'all' ? node.input : rule.activations.map((i) => node.input[i] ?? '');
  const constants: TensorProto[] = [];
  const activations: string[] = [];
  for (const input of inputs) {
    const constant = index.initializers.get(input);
    if (constant !== undefined && rule.constants && constant.dataType === DATA_TYPE.float) {
      constants.push(constant);
    } else if (available.has(input) && types.get(input) === DATA_TYPE.float) {
      activations.push(input);
    } else {
      return undefined;
    }
  }
  if (activations.length === 0) return undefined;
  // A bias added after a MatMul is folded into the kernel that gives float32; in int8 it would be a step of its own.
  if (constants.length > 0 && index.producerOf.get(activations[0] as string)?.opType === 'MatMul')
    return undefined;
  const passThrough = rule.role === 'pass-through';
  // The runtime asks for a QuantizeLinear behind every output that the node has.
  if (!node.output.every((name) => name === '' || isRead(name, index))) return undefined;
  const output = passThrough
    ? { outputEdges: node.output.filter((name) => name !== ''), absorbed: undefined }
    : outputOf(node, view);
  return { node, activations, constants, weights: undefined, ...output, passThrough };
}

function isRead(name: string, { consumersOf, outputs, capturedBySubgraphs }: GraphIndex): boolean {
  return consumersOf.has(name) || outputs.has(name) || capturedBySubgraphs.has(name);
}

/** Conditions of single operators under which their int8 form exists. */
function relayFuses(node: NodeProto): boolean {
  switch (node.opType) {
    case 'MaxPool':
      return (node.output[1] ?? '') === '';
    case 'AveragePool':
      return !int8PoolingDiffers(node);
    case 'Resize': {
      const mode = stringAttribute(node, 'mode') ?? 'nearest';
      return (
        mode === 'nearest' &&
        !isBoundToLayout(node) &&
        stringAttribute(node, 'coordinate_transformation_mode') !== 'tf_crop_and_resize'
      );
    }
    default:
      return true;
  }
}

function outputOf(
  node: NodeProto,
  view: GraphView,
): { readonly outputEdges: readonly string[]; readonly absorbed: NodeProto | undefined } {
  const absorbed = absorbedActivation(node, view);
  return { outputEdges: [(absorbed ?? node).output[0] as string], absorbed };
}

/**
 * Goes backwards from the anchors and drops what leads to none. Gemm and MatMul whose result nobody takes in int8 lose
 * their output pair: their kernels give float32 directly, which is faster and more exact.
 */
function keepWhatReachesAnchors(candidates: readonly Candidate[]): Candidate[] {
  const wanted = new Set<string>();
  const kept: Candidate[] = [];
  for (const candidate of [...candidates].reverse()) {
    const isAnchor = candidate.weights !== undefined;
    const isWanted = candidate.outputEdges.some((edge) => wanted.has(edge));
    if (!isAnchor && !isWanted) continue;
    for (const activation of candidate.activations) wanted.add(activation);
    const givesFloat = candidate.node.opType === 'Gemm' || candidate.node.opType === 'MatMul';
    kept.push(givesFloat && !isWanted ? { ...candidate, outputEdges: [], absorbed: undefined } : candidate);
  }
  return kept.reverse();
}

/** Pass-through outputs share the parameters of their input, so each edge is mapped to where its values come from. */
function groupEdges(nodes: readonly Candidate[], index: GraphIndex): ReadonlyMap<string, string> {
  const source = new Map<string, string>();
  for (const { activations, outputEdges, passThrough } of nodes) {
    for (const activation of activations) if (!source.has(activation)) source.set(activation, activation);
    for (const edge of outputEdges) {
      const first = activations[0] as string;
      source.set(edge, passThrough ? (source.get(first) ?? first) : edge);
    }
  }
  // Backwards, so that a Concat inside another takes the parameters of the outer one first.
  for (const { node, activations, outputEdges } of [...nodes].reverse()) {
    if (node.opType === 'Concat')
      shareWithConcat(activations, outputEdges[0] as string, source, nodes, index);
  }
  return source;
}

/**
 * Gives what a Concat joins the parameters of its result, so that it copies codes instead of requantizing them. Values
 * that nobody else reads lose nothing by it, as they end on that grid anyway. Where one comes out of a Relu, all must: only a
 * grid that begins at 0 absorbs it; and none may come out of a Clip, whose upper end would have to be that of the grid.
 */
function shareWithConcat(
  joined: readonly string[],
  result: string,
  source: Map<string, string>,
  nodes: readonly Candidate[],
  index: GraphIndex,
): void {
  const producers = joined.map((edge) => nodes.find(({ outputEdges }) => outputEdges.includes(edge)));
  if (producers.includes(undefined)) return;
  const absorbed = new Set(producers.map((producer) => producer?.absorbed?.opType));
  const isShared = joined.every((edge) => source.get(edge) === edge && hasOneReader(edge, index));
  if (!isShared || absorbed.size > 1 || absorbed.has('Clip')) return;
  const shared = source.get(result) ?? result;
  for (const edge of joined) source.set(edge, shared);
}
