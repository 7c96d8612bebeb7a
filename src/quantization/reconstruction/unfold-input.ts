import { emptyAttribute, findAttribute, intAttributeProto, stringAttribute } from '../../onnx/attributes.ts';
import { makeNode } from '../../onnx/make-node.ts';
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
} from '../../onnx/messages.ts';
import type { NameScope } from '../../onnx/name-scope.ts';
import { tensorFrom } from '../../onnx/tensor-data.ts';
import type { ProductLayer } from './product-layer.ts';

/** Nodes and constants that are added to a graph. */
export interface Additions {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  readonly names: NameScope;
}

/**
 * Adds what gives the input of a layer as [batch, groups, columns, positions]: the columns that its weights are multiplied
 * with. A convolution's windows are cut out by a convolution of its own kind, with a group a channel and kernels that
 * are 1 at one element and 0 elsewhere, so that strides, padding and dilations are the layer's exactly.
 * @param input the tensor to unfold, which need not be the one that the layer reads
 * @param everyOther on each spatial axis of a convolution, so many positions from one that is unfolded to the next; see
 *   `canSkipPositions`
 * @returns the name of the result
 */
export function unfoldInput(
  layer: ProductLayer,
  input: string,
  additions: Additions,
  everyOther: readonly number[] = [],
): string {
  return layer.node.opType === 'Conv'
    ? unfoldFeatureMap(layer, input, additions, everyOther)
    : unfoldRows(layer, input, additions);
}

/** Whether the windows of a layer stay where they are when some are left out: padding may depend on strides. */
export function canSkipPositions({ node }: ProductLayer): boolean {
  return node.opType === 'Conv' && (stringAttribute(node, 'auto_pad') ?? 'NOTSET') === 'NOTSET';
}

function unfoldRows({ columns }: ProductLayer, input: string, additions: Additions): string {
  const rows = addNode('Reshape', [input, addIntegers([1, 1, -1, columns], additions)], additions);
  return addNode('Transpose', [rows], additions, [intsAttribute('perm', [0, 1, 3, 2])]);
}

function unfoldFeatureMap(
  layer: ProductLayer,
  input: string,
  additions: Additions,
  everyOther: readonly number[],
): string {
  const { groups, columns } = layer;
  const windows = isPointwise(layer)
    ? pick(input, additions, everyOther)
    : cutWindows(layer, input, additions, everyOther);
  return addNode('Reshape', [windows, addIntegers([0, groups, columns, -1], additions)], additions);
}

/** Every so many-th element of each spatial axis. */
function pick(input: string, additions: Additions, everyOther: readonly number[]): string {
  if (everyOther.every((step) => step === 1)) return input;
  return addNode('MaxPool', [input], additions, [
    intsAttribute(
      'kernel_shape',
      everyOther.map(() => 1),
    ),
    intsAttribute('strides', everyOther),
  ]);
}

function cutWindows(
  { node, weights, groups }: ProductLayer,
  input: string,
  additions: Additions,
  everyOther: readonly number[],
): string {
  const kernel = weights.dims.slice(2);
  const elements = kernel.reduce((a, b) => a * b, 1);
  const channels = (weights.dims[1] ?? 1) * groups;
  const picking = new Float32Array(channels * elements * elements);
  for (let i = 0; i < channels * elements; i++) picking[i * elements + (i % elements)] = 1;
  const name = additions.names.fresh('windows_weights');
  additions.initializers.push(tensorFrom(name, [channels * elements, 1, ...kernel], picking));
  const strides = findAttribute(node, 'strides')?.ints ?? [];
  const kept = node.attribute.filter(
    (attribute) => attribute.name !== 'group' && attribute.name !== 'strides',
  );
  return addNode('Conv', [input, name], additions, [
    ...kept,
    intAttributeProto('group', channels),
    intsAttribute(
      'strides',
      kernel.map((_, axis) => Number(strides[axis] ?? 1n) * (everyOther[axis] ?? 1)),
    ),
  ]);
}

/** Whether every window is one element, and no position is skipped or added. */
function isPointwise({ node, weights }: ProductLayer): boolean {
  const strides = findAttribute(node, 'strides')?.ints ?? [];
  const pads = findAttribute(node, 'pads')?.ints ?? [];
  return (
    weights.dims.slice(2).every((size) => size === 1) &&
    strides.every((stride) => stride === 1n) &&
    pads.every((pad) => pad === 0n)
  );
}

/** Adds a node with one output, whose name is returned. */
export function addNode(
  opType: string,
  input: readonly string[],
  { nodes, names }: Additions,
  attribute: readonly AttributeProto[] = [],
): string {
  const output = names.fresh(`observed_${opType}`);
  nodes.push(makeNode(opType, { name: output, input, output: [output], attribute }));
  return output;
}

export function addIntegers(values: readonly number[], { initializers, names }: Additions): string {
  const name = names.fresh('observed_integers');
  initializers.push(tensorFrom(name, [values.length], BigInt64Array.from(values, BigInt)));
  return name;
}

export function intsAttribute(name: string, values: readonly number[]): AttributeProto {
  return { ...emptyAttribute(name, ATTRIBUTE_TYPE.ints), ints: values.map(BigInt) };
}
