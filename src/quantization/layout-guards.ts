import type { NumericArray } from '../core/tensor.ts';
import { findAttribute, stringAttribute, stringAttributeProto } from '../onnx/attributes.ts';
import { type KnownShape, knownShapes } from '../onnx/known-shapes.ts';
import { isDefaultDomain, makeNode } from '../onnx/make-node.ts';
import type { NodeProto, TensorProto } from '../onnx/messages.ts';
import type { NameScope } from '../onnx/name-scope.ts';
import { readTensorData, tensorFrom } from '../onnx/tensor-data.ts';
import type { GraphView } from './graph-view.ts';

/** What keeps nodes working that ONNX Runtime may move into another layout. */
interface LayoutGuards {
  /** Constants that changed nodes read. */
  readonly initializers: readonly TensorProto[];
  /** The node to put in front of `node`, which then reads it, if it needs one. */
  readonly guard: (node: NodeProto) => readonly NodeProto[];
}

/**
 * Whether a Resize computes something else, or nothing, with its channels last: a cubic one knows no such layout, and
 * `axes` keep naming the axes of the old one.
 */
export function isBoundToLayout(resize: NodeProto): boolean {
  return findAttribute(resize, 'axes') !== undefined || stringAttribute(resize, 'mode') === 'cubic';
}

/**
 * Keeps ONNX Runtime 1.30 from moving the transpositions around int8 convolutions past nodes that do not survive it: a
 * Resize that is bound to its layout, and a Pad that names its axes (opset 18). It would reject the model, or fail when it
 * runs it. A Pad is made to say how much it pads every axis, where its constants and the rank of its input are known;
 * in front of the others goes an Einsum that changes nothing, past which nothing is moved.
 */
export function layoutGuards(view: GraphView, names: NameScope): LayoutGuards {
  const endangered = new Set(view.graph.node.filter(isEndangered));
  if (endangered.size === 0) return { initializers: [], guard: () => [] };
  const shapes = knownShapes(view.graph, () => undefined);
  const initializers: TensorProto[] = [];
  for (const node of endangered) {
    const rank = shapes.get(node.input[0] ?? '')?.length;
    const amounts =
      node.opType === 'Pad' && rank !== undefined ? amountsOfAllAxes(node, rank, view) : undefined;
    if (amounts === undefined) continue;
    const pads = tensorFrom(names.fresh(`${node.output[0]}_pads`), [amounts.length], amounts);
    initializers.push(pads);
    node.input = [node.input[0] ?? '', pads.name ?? '', ...(node.input[2] ? [node.input[2]] : [])];
    endangered.delete(node);
  }
  const guard = (node: NodeProto) => {
    if (!endangered.has(node)) return [];
    const [original = '', ...others] = node.input;
    const kept = names.fresh(`${original}_in_layout`);
    node.input = [kept, ...others];
    return [idleEinsum(original, kept, shapes.get(original), names)];
  };
  return { initializers, guard };
}

function isEndangered(node: NodeProto): boolean {
  if (!isDefaultDomain(node.domain)) return false;
  if (node.opType === 'Resize') return isBoundToLayout(node);
  return node.opType === 'Pad' && (node.input[3] ?? '') !== '';
}

/** Undefined where the Pad has axes or amounts that are not constant. */
function amountsOfAllAxes(pad: NodeProto, rank: number, view: GraphView): BigInt64Array | undefined {
  const given = constantInts(pad.input[1] ?? '', view);
  const axes = constantInts(pad.input[3] ?? '', view);
  if (given === undefined || axes === undefined) return undefined;
  const amounts = new BigInt64Array(2 * rank);
  for (const [index, axis] of axes.entries()) {
    const from = axis < 0 ? axis + rank : axis;
    amounts[from] = BigInt(given[index] ?? 0);
    amounts[from + rank] = BigInt(given[index + axes.length] ?? 0);
  }
  return amounts;
}

function constantInts(name: string, { index, model }: GraphView): readonly number[] | undefined {
  const tensor = index.initializers.get(name);
  const values = tensor && readTensorData(model, tensor);
  return values?.ok ? Array.from(values.value as NumericArray, Number) : undefined;
}

function idleEinsum(
  input: string,
  output: string,
  shape: KnownShape | undefined,
  names: NameScope,
): NodeProto {
  // Letters are known to more runtimes than the ellipsis, and to say them takes the rank.
  const axes = shape === undefined ? '...' : 'abcdefgh'.slice(0, shape.length);
  return makeNode('Einsum', {
    name: names.fresh(`${output}_Einsum`),
    input: [input],
    output: [output],
    attribute: [stringAttributeProto('equation', `${axes}->${axes}`)],
  });
}
