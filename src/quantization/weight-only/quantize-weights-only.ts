import { attempt, type Problem, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { allowFreeInitializers } from '../../onnx/free-initializers.ts';
import { nodeLabel } from '../../onnx/make-node.ts';
import type { ModelProto, NodeProto, TensorProto } from '../../onnx/messages.ts';
import { createNameScope, type NameScope } from '../../onnx/name-scope.ts';
import { bodyViews } from '../body-views.ts';
import type { GraphView } from '../graph-view.ts';
import type { FloatNode } from '../placement.ts';
import { raiseOpset, requireRaisable } from '../raise-opset.ts';
import { findCandidates } from './candidates.ts';
import { dequantizedWeightsNodes } from './dequantized-weights.ts';
import { gemmBias } from './gemm-bias.ts';
import type { LearnedCodes } from './learn-codes.ts';
import { MICROSOFT_DOMAIN, matMulNBitsNodes } from './matmul-nbits.ts';
import { createWeightQuantizer } from './quantized-weights.ts';
import type { WeightOnlyRecipe } from './recipe.ts';

export interface WeightOnlyReport {
  /** `elements`: how many weights the node reads; shared ones are counted at each reader. */
  readonly quantized: readonly { readonly node: string; readonly op: string; readonly elements: number }[];
  /** The other MatMul and Gemm nodes, and why they stay float. */
  readonly float: readonly FloatNode[];
}

/**
 * Quantizes the constant weights of the MatMul and Gemm nodes, those in bodies too, to 4 or 8 bits, block by block along K; activations stay as they are. Changes the graph in place and adds the opset imports
 * that the form needs; `view` no longer describes the graph then. The float weights stay as initializers that nobody
 * reads: `eliminateDead` removes them. One weight is held in memory as floats at a time.
 *
 * @param view a prepared model: constants are initializers, nodes are in topological order
 * @param learned what `learnCodes` found, for the algorithm `gptq`; nodes that it does not know are rounded to nearest
 * Problems, with the model unchanged: `block-size-invalid`; `opset-not-raisable` for the form `dequantize` when the model
 * is older than opset 21 and an operator of it changed since; `non-finite-weight`, and what reading weights can report.
 */
export function quantizeWeightsOnly(
  view: GraphView,
  recipe: WeightOnlyRecipe,
  learned: LearnedCodes = new Map(),
): Result<WeightOnlyReport, Problem> {
  return attempt(() => {
    requireBlockSize(recipe.blockSize);
    const graphs = findInGraphs(view, recipe);
    const float = graphs.flatMap((graph) => graph.float);
    if (graphs.every(({ candidates }) => candidates.size === 0)) return { quantized: [], float };
    const { proto } = view.model;
    const isPortable = recipe.form === 'dequantize';
    if (isPortable) requireRaisable(proto, "the form 'dequantize'");

    const names = createNameScope(view.graph);
    const commits = graphs.map((graph) => rewriteGraph(graph, recipe, names, learned));
    for (const commit of commits) commit();
    if (isPortable) raiseOpset(proto);
    else importMicrosoftDomain(proto);

    const quantized = graphs.flatMap(({ candidates }) =>
      [...candidates.values()].map(({ node, shape }) => ({
        node: nodeLabel(node),
        op: node.opType ?? '',
        elements: shape.k * shape.n,
      })),
    );
    return { quantized, float };
  });
}

interface GraphCandidates extends ReturnType<typeof findCandidates> {
  readonly view: GraphView;
}

/** The graph of `view` and every body inside it. */
function findInGraphs(view: GraphView, recipe: WeightOnlyRecipe): GraphCandidates[] {
  const bodies = bodyViews(view).flatMap((body) => findInGraphs(body, recipe));
  return [{ view, ...findCandidates(view, recipe) }, ...bodies];
}

/** Makes the new nodes and constants of one graph; they are put into it by calling the result. */
function rewriteGraph(
  { view, candidates }: GraphCandidates,
  recipe: WeightOnlyRecipe,
  names: NameScope,
  learned: LearnedCodes,
): () => void {
  const initializers: TensorProto[] = [];
  const quantize = createWeightQuantizer(view, recipe, names, initializers, learned);
  const nodes = view.graph.node.flatMap((node): NodeProto | NodeProto[] => {
    const candidate = candidates.get(node);
    if (candidate === undefined) return node;
    const weights = quantize(candidate);
    const bias = gemmBias(node, candidate.shape.n, view, names, initializers);
    return recipe.form === 'dequantize'
      ? dequantizedWeightsNodes(candidate, weights, bias, names)
      : matMulNBitsNodes(candidate, weights, bias, recipe.accuracyLevel, names, initializers);
  });
  return () => {
    view.graph.node = nodes;
    view.graph.initializer.push(...initializers);
  };
}

function importMicrosoftDomain(proto: ModelProto): void {
  allowFreeInitializers(proto);
  if (proto.opsetImport.some(({ domain }) => domain === MICROSOFT_DOMAIN)) return;
  proto.opsetImport.push({ domain: MICROSOFT_DOMAIN, version: 1 });
}

function requireBlockSize(blockSize: number): void {
  if ([16, 32, 64, 128, 256].includes(blockSize)) return;
  throw new ProblemError(
    problem('block-size-invalid', `Blocks of ${blockSize} weights are not possible.`, {
      place: { field: '/blockSize' },
      hint: 'use 16, 32, 64, 128 or 256',
    }),
  );
}
