import { evenStride } from '../calibration/even-stride.ts';

/** Which values of a tensor are looked at: every `stride`-th from the first, and the channel that each of them belongs to. */
export interface Picks {
  readonly stride: number;
  readonly channels: Int32Array;
}

/** How the values of a tensor lie: those of one channel are `inner` in a row, and channels follow one another. */
export interface ChannelShape {
  readonly length: number;
  readonly channels: number;
  readonly inner: number;
}

/** About `most` of the values, evenly over all of them. */
export function pickEvenly({ length, channels, inner }: ChannelShape, most: number): Picks {
  const stride = evenStride(length, most);
  const count = Math.ceil(length / stride);
  return {
    stride,
    channels: Int32Array.from({ length: count }, (_, k) => Math.floor((k * stride) / inner) % channels),
  };
}

/** The shape of values whose channels are on axis 1 or on the last one. */
export function channelShape(
  dims: readonly number[],
  axis: 'second' | 'last',
  channels: number,
): ChannelShape {
  const length = dims.reduce((product, dim) => product * dim, 1);
  const inner = axis === 'last' ? 1 : dims.slice(2).reduce((product, dim) => product * dim, 1);
  return { length, channels, inner };
}
