import { intAttribute } from '../attributes.ts';
import type { NodeProto } from '../messages.ts';

/** Which output channel each part of a weight tensor belongs to. */
export interface OutputChannels {
  readonly count: number;
  /** Consecutive elements of one channel. */
  readonly blockSize: number;
  channelOfBlock(block: number): number;
}

/** How Conv, ConvTranspose and Gemm lay out their second input; undefined for other operators and odd shapes. */
export function outputChannels(node: NodeProto, dims: readonly number[]): OutputChannels | undefined {
  const [rows, columns] = dims;
  if (rows === undefined || columns === undefined) return undefined;
  switch (node.opType) {
    case 'Conv':
      // [M, C/group, k...]
      return { count: rows, blockSize: product(dims.slice(1)), channelOfBlock: (block) => block };
    case 'ConvTranspose': {
      // [C, M/group, k...]: the input channels of a group share its output channels.
      const groups = intAttribute(node, 'group') ?? 1;
      const rowsPerGroup = rows / groups;
      return {
        count: columns * groups,
        blockSize: product(dims.slice(2)),
        channelOfBlock: (block) =>
          Math.floor(Math.floor(block / columns) / rowsPerGroup) * columns + (block % columns),
      };
    }
    case 'Gemm':
      if (dims.length !== 2) return undefined;
      return intAttribute(node, 'transB')
        ? { count: rows, blockSize: columns, channelOfBlock: (block) => block }
        : { count: columns, blockSize: 1, channelOfBlock: (block) => block % columns };
    default:
      return undefined;
  }
}

function product(dims: readonly number[]): number {
  return dims.reduce((total, dim) => total * dim, 1);
}
