import { describe, expect, it } from 'vitest';
import type { ElementType, NamedTensors } from '../../../src/core/tensor.ts';
import { castFeeds } from '../../../src/jobs/cast-feeds.ts';
import type { ModelPort } from '../../../src/runtime/session.ts';

const port = (name: string, type: ElementType): ModelPort => ({ name, type, dims: [2, 2] });
const FEEDS: NamedTensors = {
  image: { type: 'float32', dims: [2, 2], data: Float32Array.of(1, -2, 0.1, 1e6) },
  mask: { type: 'float32', dims: [1], data: Float32Array.of(0.5) },
  ids: { type: 'int64', dims: [1], data: BigInt64Array.of(7n) },
};

describe('castFeeds', () => {
  it('rounds what a float16 input gets to the nearest half, beyond the range to infinity', () => {
    const cast = castFeeds(FEEDS, [port('image', 'float16'), port('mask', 'float32'), port('ids', 'int64')]);
    expect(cast['image']).toStrictEqual({
      type: 'float16',
      dims: [2, 2],
      data: Uint16Array.of(0x3c00, 0xc000, 0x2e66, 0x7c00),
    });
    expect(Object.keys(cast)).toEqual(['image', 'mask', 'ids']);
    expect(cast['mask']).toBe(FEEDS['mask']);
    expect(cast['ids']).toBe(FEEDS['ids']);
  });

  it('leaves the feeds as they are for a model that takes float32', () => {
    expect(castFeeds(FEEDS, [port('image', 'float32')])).toBe(FEEDS);
  });

  it('leaves alone what it cannot cast: halves, integers and inputs that are not fed', () => {
    const halves: NamedTensors = { image: { type: 'float16', dims: [1], data: Uint16Array.of(0x3c00) } };
    expect(castFeeds(halves, [port('image', 'float16'), port('other', 'float16')])).toBe(halves);
    expect(castFeeds(FEEDS, [port('ids', 'float16')])).toBe(FEEDS);
  });

  it('does not change the feeds it was given', () => {
    const before = structuredClone(FEEDS);
    castFeeds(FEEDS, [port('image', 'float16')]);
    expect(FEEDS).toStrictEqual(before);
  });
});
