import { intAttribute, intsAttribute } from './attributes.ts';
import { isDefaultDomain } from './make-node.ts';
import type { GraphProto, NodeProto, ValueInfoProto } from './messages.ts';

/** A shape of known rank; a dimension that is not known for sure is undefined. */
export type KnownShape = readonly (number | undefined)[];

interface RuleInput {
  readonly node: NodeProto;
  shape(inputIndex: number): KnownShape | undefined;
  /** The values of an int64 input that is a constant. */
  constantInts(inputIndex: number): readonly number[] | undefined;
}

type Rule = (input: RuleInput) => KnownShape | undefined;

/**
 * The shapes of one graph's tensors as far as passes need them: mostly ranks. They come from what the graph declares
 * and, as exporters often leave intermediate tensors undeclared, from a few rules for common operators, in the forms
 * they have from opset 7 to 13 and later.
 *
 * @param outer shapes of the graphs around this one. The result holds them too.
 */
export function knownShapes(
  graph: GraphProto,
  constantInts: (name: string) => readonly number[] | undefined,
  outer: ReadonlyMap<string, KnownShape> = new Map(),
): ReadonlyMap<string, KnownShape> {
  const shapes = new Map(outer);
  for (const value of [...graph.valueInfo, ...graph.output, ...graph.input]) declare(shapes, value);
  for (const tensor of graph.initializer) if (tensor.name !== undefined) shapes.set(tensor.name, tensor.dims);
  for (const node of graph.node) {
    const name = node.output[0] ?? '';
    if (name === '' || shapes.has(name) || !isDefaultDomain(node.domain)) continue;
    const opType = node.opType ?? '';
    const shape = (Object.hasOwn(RULES, opType) ? RULES[opType] : undefined)?.({
      node,
      shape: (index) => shapes.get(node.input[index] ?? ''),
      constantInts: (index) => constantInts(node.input[index] ?? ''),
    });
    if (shape !== undefined) shapes.set(name, shape);
  }
  return shapes;
}

function declare(shapes: Map<string, KnownShape>, value: ValueInfoProto): void {
  const shape = value.type?.tensorType?.shape;
  if (value.name === undefined || shape === undefined) return;
  // Some exporters write an unknown dimension as 0 or -1.
  const dims = shape.dim.map(({ dimValue = 0 }) => (dimValue > 0 ? dimValue : undefined));
  shapes.set(value.name, dims);
}

function each(opTypes: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(opTypes.split(/\s+/).map((opType) => [opType, rule]));
}

const sameShape: Rule = ({ shape }) => shape(0);
const sameRank: Rule = ({ shape }) => shape(0)?.map(() => undefined);
const matrix: Rule = () => [undefined, undefined];

const RULES: Readonly<Record<string, Rule>> = {
  ...each(
    `Abs BatchNormalization Cast Ceil Clip Dropout Elu Erf Exp Floor HardSigmoid Hardmax Identity
     InstanceNormalization LRN LeakyRelu Log LogSoftmax Neg Not Reciprocal Relu Selu Sigmoid Softmax Softplus Sqrt Tanh
     ThresholdedRelu`,
    sameShape,
  ),
  ...each('AveragePool Conv ConvTranspose MaxPool Pad Resize Slice Split Tile Upsample', sameRank),
  ...each('Flatten Gemm', matrix),
  ...each('Add Div Max Mean Min Mul Pow Sub Sum', broadcastRank),
  ...each('GlobalAveragePool GlobalMaxPool', ({ shape }) =>
    shape(0)?.map((dim, axis) => (axis < 2 ? dim : 1)),
  ),
  ...each(
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum',
    ({ node, shape, constantInts }) => {
      const input = shape(0);
      const hasAxesInput = (node.input[1] ?? '') !== '';
      const given = intsAttribute(node, 'axes') ?? constantInts(1);
      if (input === undefined || (hasAxesInput && given === undefined)) return undefined;
      const axes = given ?? input.map((_, axis) => axis);
      const reduced = new Set(axes.map((axis) => (axis < 0 ? axis + input.length : axis)));
      if (intAttribute(node, 'keepdims') === 0) return input.filter((_, axis) => !reduced.has(axis));
      return input.map((dim, axis) => (reduced.has(axis) ? 1 : dim));
    },
  ),
  Concat: ({ node, shape }) => {
    const known = node.input.findIndex((_, index) => shape(index) !== undefined);
    return shape(known)?.map(() => undefined);
  },
  MatMul: ({ shape }) => {
    const ranks = [shape(0)?.length ?? 0, shape(1)?.length ?? 0];
    // A 1-D operand loses its axis in the product, and an unknown one counts as too short to say anything.
    return Math.min(...ranks) < 2 ? undefined : new Array(Math.max(...ranks)).fill(undefined);
  },
  Reshape: ({ shape, constantInts }) =>
    constantInts(1)?.map((dim, axis) => (dim > 0 ? dim : dim === 0 ? shape(0)?.[axis] : undefined)),
  Squeeze: ({ node, shape, constantInts }) => {
    const input = shape(0);
    const axes = intsAttribute(node, 'axes') ?? constantInts(1);
    if (input === undefined || axes === undefined) return undefined;
    const dropped = new Set(axes.map((axis) => (axis < 0 ? axis + input.length : axis)));
    return input.filter((_, axis) => !dropped.has(axis));
  },
  Transpose: ({ node, shape }) => {
    const input = shape(0);
    const order = intsAttribute(node, 'perm') ?? input?.map((_, axis) => input.length - 1 - axis);
    return order?.map((axis) => input?.[axis]);
  },
  Unsqueeze: ({ node, shape, constantInts }) => {
    const input = shape(0);
    const axes = intsAttribute(node, 'axes') ?? constantInts(1);
    if (input === undefined || axes === undefined) return undefined;
    const rank = input.length + axes.length;
    const inserted = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
    const rest = [...input];
    return Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : rest.shift()));
  },
};

function broadcastRank({ node, shape }: RuleInput): KnownShape | undefined {
  const ranks = node.input.map((_, index) => shape(index)?.length);
  if (ranks.some((rank) => rank === undefined)) return undefined;
  return new Array(Math.max(...ranks.map((rank) => rank ?? 0))).fill(undefined);
}
