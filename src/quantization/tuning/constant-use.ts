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
  readonly layout: UseLayout;
  /** Whether each channel that it makes comes of one channel that it reads, as in a depthwise Conv. */
  readonly isOneToOne: boolean;
}

/**
 * Where the elements lie: that of a made channel, of the read channel `read` within its group, and of the kernel is at
 * made·madeStride + read·readStride + kernel.
 */
export interface UseLayout {
  readonly groups: number;
  readonly readsPerGroup: number;
  readonly makesPerGroup: number;
  /** Elements of each pair of channels, one behind the other. */
  readonly kernel: number;
  readonly readStride: number;
  readonly madeStride: number;
}

/** The weights of a Conv: [M, C / groups, …]. */
export function convWeights(node: NodeProto, tensor: TensorProto): ConstantUse {
  const [makes = 1, readsPerGroup = 1, ...sizes] = tensor.dims;
  const groups = intAttribute(node, 'group') ?? 1;
  const kernel = sizes.reduce((product, dim) => product * dim, 1);
  const layout = {
    groups,
    readsPerGroup,
    makesPerGroup: makes / groups,
    kernel,
    readStride: kernel,
    madeStride: readsPerGroup * kernel,
  };
  return {
    node,
    inputIndex: 1,
    tensor,
    reads: readsPerGroup * groups,
    makes,
    layout,
    isOneToOne: readsPerGroup === 1,
  };
}

/** A matrix of a MatMul [K, N], or of a Gemm, which may be [N, K]. */
export function matrixWeights(node: NodeProto, tensor: TensorProto): ConstantUse {
  const isTransposed = node.opType === 'Gemm' && intAttribute(node, 'transB') === 1;
  const [first = 1, second = 1] = tensor.dims;
  const [reads, makes] = isTransposed ? [second, first] : [first, second];
  const strides = isTransposed
    ? { readStride: 1, madeStride: second }
    : { readStride: second, madeStride: 1 };
  const layout = { groups: 1, readsPerGroup: reads, makesPerGroup: makes, kernel: 1, ...strides };
  return { node, inputIndex: 1, tensor, reads, makes, layout, isOneToOne: false };
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
  const layout = {
    groups: channels,
    readsPerGroup: 1,
    makesPerGroup: 1,
    kernel: 1,
    readStride: 1,
    madeStride: 1,
  };
  return { node, inputIndex, tensor, reads: 0, makes: channels, layout, isOneToOne: true };
}

/** One value a channel that what a node reads is multiplied with. */
export function factorVector(
  node: NodeProto,
  inputIndex: number,
  tensor: TensorProto,
  channels: number,
): ConstantUse {
  return { ...addedVector(node, inputIndex, tensor, channels), reads: channels };
}

/** Visits the elements of every pair of channels: those from `at` on, as many as the kernel has. */
export function forEachPair(
  { layout: { groups, readsPerGroup, makesPerGroup, readStride, madeStride } }: Pick<ConstantUse, 'layout'>,
  visit: (made: number, read: number, at: number) => void,
): void {
  for (let group = 0; group < groups; group++) {
    for (let m = 0; m < makesPerGroup; m++) {
      const made = group * makesPerGroup + m;
      for (let r = 0; r < readsPerGroup; r++) {
        visit(made, group * readsPerGroup + r, made * madeStride + r * readStride);
      }
    }
  }
}
