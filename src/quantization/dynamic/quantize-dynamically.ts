import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type KnownShape, knownShapes } from '../../onnx/known-shapes.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import type { NodeProto, TensorProto } from '../../onnx/messages.ts';
import { createNameScope, type NameScope } from '../../onnx/name-scope.ts';
import { INT8_REDUCED, INT8_SYMMETRIC } from '../affine.ts';
import { bodyViews } from '../body-views.ts';
import type { GraphView } from '../graph-view.ts';
import { scopeRefusal } from '../node-selection.ts';
import type { FloatNode } from '../placement.ts';
import { guardAddedConstant } from './added-bias.ts';
import type { DynamicInt8Recipe } from './dynamic-recipe.ts';
import { createDynamicWriter } from './dynamic-writer.ts';
import { isSlowerInInt8 } from './int8-cost.ts';
import { importRuntimeDomain, writeLstm } from './lstm.ts';
import { productStack, writeProduct } from './matrix-product.ts';
import { carriesWeights, refusal } from './refusals.ts';

/** A node that runs in int8. */
export interface DynamicNode {
  readonly node: string;
  readonly op: string;
  /** The initializer that holds the codes of its weights, by which `auditDynamic` finds its kernel. */
  readonly weights: string;
}

export interface DynamicReport {
  readonly quantized: readonly DynamicNode[];
  /** Nodes that carry weights and stay float, in bodies of If, Loop and Scan too, and why. */
  readonly float: readonly FloatNode[];
}

/**
 * Quantizes to int8 without calibration: weights to s8 now, and each activation to u8 at run time, by the extremes that
 * it has then. MatMul and Gemm with constant weights become DynamicQuantizeLinear and MatMulInteger, LSTM becomes the
 * runtime's DynamicQuantizeLSTM, in the bodies of If, Loop and Scan too; everything else is unchanged. All tensors that others read keep their names.
 *
 * One DynamicQuantizeLinear serves all readers of a tensor. The runtime then computes MatMulIntegerToFloat for each
 * instead of DynamicQuantizeMatMul, which is as fast or up to 10 % faster, as the tensor is rounded once.
 *
 * Weights are read one after the other, so that the peak is about the largest of them beside the codes of all.
 * The float weights stay until `eliminateDead` takes away what nobody reads.
 *
 * @param view a prepared model; its graph is changed in place, and left as it was when the result is a problem
 * Errors: `non-finite-weight`, and what reading the weights can report.
 */
export function quantizeDynamically(
  view: GraphView,
  recipe: DynamicInt8Recipe,
): Result<DynamicReport, Problem> {
  return attempt(() => {
    const graphs = quantizeGraphs(view, recipe, createNameScope(view.graph));
    for (const { commit } of graphs) commit();
    const quantized = graphs.flatMap((graph) => graph.quantized);
    if (quantized.some(({ op }) => op === 'LSTM')) importRuntimeDomain(view.model.proto);
    return { quantized, float: graphs.flatMap(({ float }) => float) };
  });
}

type Shapes = ReadonlyMap<string, KnownShape>;

interface QuantizedGraph extends DynamicReport {
  /** Puts the new nodes and constants into the graph. */
  readonly commit: () => void;
}

/** The graph of `view` and every body inside it. */
function quantizeGraphs(
  view: GraphView,
  recipe: DynamicInt8Recipe,
  names: NameScope,
  outerShapes?: Shapes,
): QuantizedGraph[] {
  const shapes = knownShapes(view.graph, () => undefined, outerShapes);
  const bodies = bodyViews(view).flatMap((body) => quantizeGraphs(body, recipe, names, shapes));
  return [quantizeGraph(view, recipe, names, shapes), ...bodies];
}

function quantizeGraph(
  view: GraphView,
  recipe: DynamicInt8Recipe,
  names: NameScope,
  shapes: Shapes,
): QuantizedGraph {
  const { chosen, float } = choose(view, recipe, shapes);
  const grid = recipe.reduceRange === true ? INT8_REDUCED : INT8_SYMMETRIC;
  const writer = createDynamicWriter(view, { grid, perTensor: recipe.perTensor }, names);
  const quantized: DynamicNode[] = [];
  const nodes = view.graph.node.flatMap((node) => {
    if (!chosen.has(node)) return [node];
    const made = node.opType === 'LSTM' ? writeLstm(node, writer) : writeProduct(node, writer);
    quantized.push({ node: nodeLabel(node), op: node.opType ?? '', weights: made.weights });
    return made.nodes;
  });
  const commit = () => {
    for (const node of chosen) guardSumBehind(node, view, shapes);
    view.graph.node = nodes;
    view.graph.initializer.push(...writer.initializers);
  };
  return { quantized, float, commit };
}

function choose(view: GraphView, recipe: DynamicInt8Recipe, shapes: Shapes) {
  const chosen = new Set<NodeProto>();
  const float: FloatNode[] = [];
  for (const node of view.graph.node) {
    if (!carriesWeights(node)) continue;
    const reason = reasonForFloat(node, view, recipe, shapes);
    if (reason === undefined) chosen.add(node);
    else float.push({ node: nodeLabel(node), op: node.opType ?? '', reason });
  }
  return { chosen, float };
}

function reasonForFloat(
  node: NodeProto,
  view: GraphView,
  recipe: DynamicInt8Recipe,
  shapes: Shapes,
): string | undefined {
  const refused =
    scopeRefusal(node, recipe) ?? targetRefusal(node, recipe.target) ?? refusal(node, view.index);
  if (refused !== undefined) return refused;
  return isSlowerInInt8(node, weightsOf(node, view), shapes.get(node.input[0] ?? ''))
    ? 'its weights are so few that rounding its input costs more than int8 saves'
    : undefined;
}

/** The quantized LSTM is an operator of ONNX Runtime alone. */
function targetRefusal({ opType }: NodeProto, target: DynamicInt8Recipe['target']): string | undefined {
  return opType === 'LSTM' && target === 'portable' ? 'no portable operator computes it in int8' : undefined;
}

function guardSumBehind(node: NodeProto, view: GraphView, shapes: Shapes): void {
  const output = node.output[0] ?? '';
  const [weights] = weightsOf(node, view);
  if (node.opType === 'LSTM' || weights === undefined) return;
  const { outputs, rows, columns } = productStack(node, weights);
  const width = outputs === 'rows' ? rows : columns;
  guardAddedConstant(output, width, shapes.get(output)?.length, view);
}

function weightsOf({ input, opType }: NodeProto, { index }: GraphView): readonly TensorProto[] {
  const names = opType === 'LSTM' ? input.slice(1, 3) : input.slice(1, 2);
  return names.flatMap((name) => index.initializers.get(name) ?? []);
}
