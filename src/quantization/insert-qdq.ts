import { attempt, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { floatAttribute, removeAttribute } from '../onnx/attributes.ts';
import { isDefaultDomain, makeNode } from '../onnx/make-node.ts';
import type { NodeProto, TensorProto } from '../onnx/messages.ts';
import { createNameScope, type NameScope } from '../onnx/name-scope.ts';
import { tensorFrom } from '../onnx/tensor-data.ts';
import { type ActivationGrid, activationParameters } from './activation-grid.ts';
import type { AffineParameters, ValueRange } from './affine.ts';
import type { GraphView } from './graph-view.ts';
import { layoutGuards } from './layout-guards.ts';
import { int8PoolingDiffers } from './operators.ts';
import type { Placement, PlannedNode } from './placement.ts';
import {
  type QuantizedConstant,
  quantizeAnchor,
  quantizeConstant,
  type WeightSettings,
  zeroPointTensor,
} from './quantized-constants.ts';
import { swallowActivations } from './swallowed-activations.ts';
import type { TunedConstants } from './tuned-constants.ts';

/** What is put in place of one activation edge. */
interface EdgePair {
  readonly quantize: NodeProto;
  readonly dequantize: NodeProto;
}

/** The grids that a plan is written on. */
export interface QdqSettings {
  readonly activations: ActivationGrid;
  readonly weights: WeightSettings;
  /** What is known better than to round weights and biases as they are, by the name of the anchor. */
  readonly constants?: ReadonlyMap<string, TunedConstants>;
}

/**
 * Writes the plan into the graph, in place: QuantizeLinear/DequantizeLinear around activations, s8 weights, int32 biases.
 * A tensor whose producer runs in int8 keeps its name on the dequantized side, so every reader, the graph's outputs and
 * captured bodies see it; any other tensor stays float for its float readers and gets an int8 copy for the others.
 * @param ranges of every tensor that `placement.edges` takes its range from
 * Errors: `non-finite-weight`, and what reading the weights can report.
 */
export function insertQdq(
  view: GraphView,
  placement: Placement,
  ranges: ReadonlyMap<string, ValueRange>,
  settings: QdqSettings,
): Result<void, Problem> {
  return attempt(() => {
    const writer = createWriter(view, placement, ranges, settings);
    const nodes: NodeProto[] = view.graph.input.flatMap(({ name }) => writer.pairFor(name ?? ''));
    const planned = new Map(placement.nodes.map((plan) => [plan.node, plan]));
    for (const node of view.graph.node) {
      dropUnitDilations(node);
      const plan = planned.get(node);
      if (plan !== undefined) nodes.push(...writer.rewire(plan));
      const outputs = [...node.output];
      nodes.push(...writer.guardLayout(node), node, ...writer.guardPooling(node));
      for (const output of outputs) nodes.push(...writer.endEdge(node, output));
    }
    view.graph.node = nodes.filter((node) => !writer.swallowed.has(node));
    view.graph.initializer.push(...writer.initializers);
  });
}

function createWriter(
  view: GraphView,
  placement: Placement,
  ranges: ReadonlyMap<string, ValueRange>,
  settings: QdqSettings,
) {
  const names = createNameScope(view.graph);
  const layout = layoutGuards(view, names);
  const initializers: TensorProto[] = [...layout.initializers];
  const parameters = createEdgeParameters(placement, ranges, settings.activations, names, initializers);
  const swallowing = swallowActivations(view, placement, parameters.affine, settings.activations);
  const copies = new Map<string, string>();
  for (const edge of placement.edges.keys()) {
    if (!placement.producedInInt8.has(edge)) copies.set(edge, names.fresh(`${edge}_dequantized`));
  }

  const makePair = (edge: string, from: string, to: string): EdgePair => {
    const { scale, zeroPoint } = parameters.tensors(edge);
    const codes = names.fresh(`${edge}_quantized`);
    return {
      quantize: makeNode('QuantizeLinear', {
        name: names.fresh(`${edge}_QuantizeLinear`),
        input: [from, scale, zeroPoint],
        output: [codes],
      }),
      dequantize: makeNode('DequantizeLinear', {
        name: names.fresh(`${edge}_DequantizeLinear`),
        input: [codes, scale, zeroPoint],
        output: [to],
      }),
    };
  };

  const addConstant = (constant: QuantizedConstant) => {
    initializers.push(...constant.initializers);
    return constant.dequantize;
  };

  /** Points the node at its int8 inputs; returns the nodes that must come before it. */
  const rewire = (plan: PlannedNode): NodeProto[] => {
    const { node, weights } = plan;
    const before: NodeProto[] = [];
    const firstActivation = node.input[0] ?? '';
    for (const tensor of plan.constants) {
      const constant = quantizeConstant(node, tensor, view.readFloats(tensor), settings.activations, names);
      before.push(addConstant(constant));
      node.input = node.input.map((input) => (input === tensor.name ? constant.output : input));
    }
    node.input = node.input.map((input) =>
      plan.activations.includes(input) ? (copies.get(input) ?? input) : input,
    );
    if (weights !== undefined) {
      const values = foldGemmFactors(node, view.readFloats, weights, settings.weights.quantizeBias);
      const quantized = quantizeAnchor(
        node,
        weights,
        values,
        parameters.affine(firstActivation),
        settings.weights,
        names,
        settings.constants?.get(node.name ?? ''),
      );
      before.push(addConstant(quantized.weights));
      node.input[weights.inputIndex] = quantized.weights.output;
      if (quantized.bias !== undefined && weights.bias !== undefined) {
        before.push(addConstant(quantized.bias));
        weights.bias.reader.input[weights.bias.inputIndex] = quantized.bias.output;
      }
    }
    return before;
  };

  return {
    initializers,
    /** Nodes that the quantized graph leaves out. */
    swallowed: swallowing.nodes,
    rewire,
    guardLayout: layout.guard,
    /** The pair of a graph input that int8 nodes read. */
    pairFor: (edge: string): NodeProto[] => {
      const copy = copies.get(edge);
      if (copy === undefined) return [];
      const { quantize, dequantize } = makePair(edge, edge, copy);
      return [quantize, dequantize];
    },
    /** The pair after the node that makes `output`, if that tensor is an edge. */
    endEdge: (node: NodeProto, output: string): NodeProto[] => {
      if (!placement.edges.has(output)) return [];
      const copy = copies.get(output);
      const swallowed = swallowing.sourceOf.get(output);
      const from = swallowed ?? (copy === undefined ? names.fresh(`${output}_float`) : output);
      if (copy === undefined && swallowed === undefined) {
        node.output = node.output.map((name) => (name === output ? from : name));
      }
      const { quantize, dequantize } = makePair(output, from, copy ?? output);
      return [quantize, dequantize];
    },
    /**
     * A Sum of one term behind a float AveragePool, where the runtime would otherwise fuse it with the Q/DQ of its
     * neighbours although the int8 kernel computes something else.
     */
    guardPooling: (node: NodeProto): NodeProto[] => {
      if (!isAveragePool(node) || !int8PoolingDiffers(node)) return [];
      const output = node.output[0] ?? '';
      const pooled = names.fresh(`${output}_pooled`);
      node.output = [pooled];
      return [makeNode('Sum', { name: names.fresh(`${output}_Sum`), input: [pooled], output: [output] })];
    },
  };
}

function isAveragePool({ opType, domain }: NodeProto): boolean {
  return opType === 'AveragePool' && isDefaultDomain(domain);
}

/** The int8 AveragePool does not know the attribute, and the runtime then rejects the model even if it says nothing. */
function dropUnitDilations(node: NodeProto): void {
  if (isAveragePool(node) && !int8PoolingDiffers(node)) removeAttribute(node, 'dilations');
}

/** Scale and zero point of edges, one pair of initializers for all edges that share their parameters. */
function createEdgeParameters(
  placement: Placement,
  ranges: ReadonlyMap<string, ValueRange>,
  grid: ActivationGrid,
  names: NameScope,
  initializers: TensorProto[],
) {
  const made = new Map<string, { scale: string; zeroPoint: string }>();
  const sourceOf = (edge: string) => placement.edges.get(edge) ?? edge;
  const affine = (edge: string): AffineParameters => {
    const range = ranges.get(sourceOf(edge));
    if (range === undefined) throw new Error(`no calibrated range for ${sourceOf(edge)}`);
    return activationParameters(range, grid);
  };
  const tensors = (edge: string) => {
    const source = sourceOf(edge);
    const known = made.get(source);
    if (known !== undefined) return known;
    const { scale, zeroPoint } = affine(edge);
    const pair = { scale: names.fresh(`${source}_scale`), zeroPoint: names.fresh(`${source}_zero_point`) };
    initializers.push(tensorFrom(pair.scale, [], Float32Array.of(scale)));
    initializers.push(zeroPointTensor(zeroPoint, grid, pair.zeroPoint));
    made.set(source, pair);
    return pair;
  };
  return { affine, tensors };
}

/**
 * Multiplies Gemm's alpha and beta into its constants, because the int8 kernel takes the bias on the product's grid. A bias
 * that stays float32 keeps its beta, and is not given back.
 */
function foldGemmFactors(
  node: NodeProto,
  readFloats: (tensor: TensorProto) => Float32Array,
  weights: NonNullable<PlannedNode['weights']>,
  quantizeBias: boolean,
): { readonly weights: Float32Array; readonly bias: Float32Array | undefined } {
  const alpha = node.opType === 'Gemm' ? (floatAttribute(node, 'alpha') ?? 1) : 1;
  const scaled = (values: Float32Array, factor: number) =>
    factor === 1 ? values : values.map((value) => value * factor);
  removeAttribute(node, 'alpha');
  if (quantizeBias) removeAttribute(node, 'beta');
  return {
    weights: scaled(readFloats(weights.tensor), alpha),
    bias:
      weights.bias && quantizeBias ? scaled(readFloats(weights.bias.tensor), weights.bias.factor) : undefined,
  };
}
