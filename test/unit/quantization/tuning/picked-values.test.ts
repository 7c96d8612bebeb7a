import { describe, expect, it } from 'vitest';
import { channelShape, pickEvenly } from '../../../../src/quantization/tuning/picked-values.ts';

describe('pickEvenly', () => {
  it('knows the channel of each value that it picks, on axis 1 and on the last one', () => {
    const second = channelShape([2, 3, 5, 7], 'second', 3);
    expect(second).toEqual({ length: 210, channels: 3, inner: 35 });
    const { stride, channels } = pickEvenly(second, 50);
    expect(channels).toHaveLength(Math.ceil(210 / stride));
    expect([...channels]).toEqual(Array.from(channels, (_, k) => Math.floor((k * stride) / 35) % 3));
    const last = pickEvenly(channelShape([1, 11, 4], 'last', 4), 44);
    expect([...last.channels.subarray(0, 6)]).toEqual([0, 1, 2, 3, 0, 1]);
  });

  it('misses no channel where it may pick two of each', () => {
    for (const [dims, axis, count] of [
      [[1, 1280, 7, 7], 'second', 1280],
      [[1, 10, 768], 'last', 768],
      [[1, 4096], 'last', 4096],
    ] as const) {
      const { channels } = pickEvenly(channelShape(dims, axis, count), 2 * count);
      expect(new Set(channels).size).toBe(count);
    }
  });
});
