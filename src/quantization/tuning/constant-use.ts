import { intAttribute } from '../../onnx/attributes.ts';
import type { NodeProto, TensorProto } from '../../onnx/messages.ts';

/** A constant of which each element belongs to a channel that a node reads, to one that it makes, or to both. */
export interface ConstantUse {
  readonly node: NodeProto;
  readonly inputIndex: number;
  readonly tensor: TensorProto;
  /** How many channels it reads and makes; 0 where it has no part in one. */
  readonly reads: number;
  readonly makes: number;
  /** The channel that an element reads, and the one that it makes. */
  readonly readBy: (element: number) => number;
  readonly makesAt: (element: number) => number;
  /** Whether each channel that it makes comes of one channel that it reads, as in a depthwise Conv. */
  readonly isOneToOne: boolean;
}

const first = () => 0;

/** The weights of a Conv: [M, C / groups, …]. */
export function convWeights(node: NodeProto, tensor: TensorProto): ConstantUse {
  const [makes = 1, readsPerGroup = 1, ...kernel] = tensor.dims;
  const groups = intAttribute(node, 'group') ?? 1;
  const inner = kernel.reduce((product, dim) => product * dim, 1);
  const makesPerGroup = makes / groups;
  const makesAt = (element: number) => Math.floor(element / (readsPerGroup * inner));
  return {
    node,
    inputIndex: 1,
    tensor,
    reads: readsPerGroup * groups,
    makes,
    readBy: (element) =>
      Math.floor(makesAt(element) / makesPerGroup) * readsPerGroup +
      (Math.floor(element / inner) % readsPerGroup),
    makesAt,
    isOneToOne: readsPerGroup === 1,
  };
}

/** A matrix of a MatMul [K, N], or of a Gemm, which may be [N, K]. */
export function matrixWeights(node: NodeProto, tensor: TensorProto): ConstantUse {
  const isTransposed = node.opType === 'Gemm' && intAttribute(node, 'transB') === 1;
  const [rows = 1, columns = 1] = tensor.dims;
  const row = (element: number) => Math.floor(element / columns);
  const column = (element: number) => element % columns;
  return {
    node,
    inputIndex: 1,
    tensor,
    reads: isTransposed ? columns : rows,
    makes: isTransposed ? rows : columns,
    readBy: isTransposed ? column : row,
    makesAt: isTransposed ? row : column,
    isOneToOne: false,
  };
}

/** The weights of a Conv, Gemm or MatMul, and the axis on which the channels of what it reads lie. */
export function productUse(
  node: NodeProto,
  tensor: TensorProto,
): ConstantUse & { readonly axis: 'second' | 'last' } {
  return node.opType === 'Conv'
    ? { ...convWeights(node, tensor), axis: 'second' }
    : { ...matrixWeights(node, tensor), axis: 'last' };
}

/** One value a channel that is added to what a node makes. */
export function addedVector(
  node: NodeProto,
  inputIndex: number,
  tensor: TensorProto,
  channels: number,
): ConstantUse {
  return {
    node,
    inputIndex,
    tensor,
    reads: 0,
    makes: channels,
    readBy: first,
    makesAt: (element) => element,
    isOneToOne: true,
  };
}

/** One value a channel that what a node reads is multiplied with. */
export function factorVector(
  node: NodeProto,
  inputIndex: number,
  tensor: TensorProto,
  channels: number,
): ConstantUse {
  return {
    ...addedVector(node, inputIndex, tensor, channels),
    reads: channels,
    readBy: (element) => element,
  };
}
