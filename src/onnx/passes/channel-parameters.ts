import { floatAttribute } from '../attributes.ts';
import type { NodeProto } from '../messages.ts';
import type { FloatConstants } from './float-constants.ts';
import type { OutputChannels } from './output-channels.ts';

export type FloatConstant = NonNullable<ReturnType<FloatConstants['read']>>;

/** One value a channel from a constant that broadcasts along every other axis; undefined where it varies along one. */
export function perChannel(
  { dims, data }: FloatConstant,
  { rank, axis, count }: { readonly rank: number; readonly axis: number; readonly count: number },
): Float32Array | undefined {
  if (dims.length > rank || (data.length !== count && data.length !== 1)) return undefined;
  const aligned = [...new Array<number>(rank - dims.length).fill(1), ...dims];
  if (aligned.some((dim, at) => at !== axis && dim !== 1)) return undefined;
  return Float32Array.from(
    { length: count },
    (_, channel) => data[data.length === 1 ? 0 : channel] as number,
  );
}

/**
 * The bias of a Conv, ConvTranspose or Gemm per channel, zeros where there is none. Gemm scales it by `beta` and may
 * broadcast it from one element. Undefined where it is no constant or not one value a channel.
 */
export function readBias(
  node: NodeProto,
  count: number,
  constants: FloatConstants,
): Float64Array | undefined {
  const [, , name = ''] = node.input;
  if (name === '') return new Float64Array(count);
  const stored = constants.read(name);
  if (stored === undefined) return undefined;
  const { data, dims } = stored;
  if (node.opType !== 'Gemm') return data.length === count ? Float64Array.from(data) : undefined;
  const isRow = dims.slice(0, -1).every((dim) => dim === 1) && (data.length === count || data.length === 1);
  if (!isRow) return undefined;
  const beta = floatAttribute(node, 'beta') ?? 1;
  return Float64Array.from(
    { length: count },
    (_, channel) => beta * (data[data.length === 1 ? 0 : channel] as number),
  );
}

/** Multiplies the weights of each output channel by its factor, in place. */
export function scaleChannels(data: Float32Array, channels: OutputChannels, factor: ArrayLike<number>): void {
  const { blockSize } = channels;
  for (let block = 0; block * blockSize < data.length; block++) {
    const blockFactor = factor[channels.channelOfBlock(block)] as number;
    const end = (block + 1) * blockSize;
    for (let index = block * blockSize; index < end; index++) {
      data[index] = (data[index] as number) * blockFactor;
    }
  }
}
