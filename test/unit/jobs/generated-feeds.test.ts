import { describe, expect, it } from 'vitest';
import type { ElementType } from '../../../src/core/tensor.ts';
import { generateFeeds } from '../../../src/jobs/generated-feeds.ts';
import type { ModelPort } from '../../../src/runtime/session.ts';

const port = (type: ElementType, dims: ModelPort['dims'] = [3], name = 'x'): ModelPort => ({
  name,
  type,
  dims,
});

describe('generateFeeds', () => {
  it('spreads floats over -1 to 1, no two alike, and the same ones every time', () => {
    const feeds = generateFeeds([port('float32', [2, 500])]);
    expect(feeds).toEqual(generateFeeds([port('float32', [2, 500])]));
    const data = feeds?.['x']?.data as Float32Array;
    expect(data).toBeInstanceOf(Float32Array);
    expect(data.length).toBe(1000);
    expect(new Set(data).size).toBe(1000);
    // Evenly spread: each tenth of the interval holds about a tenth of the values.
    const tenths = new Array<number>(10).fill(0);
    for (const value of data) {
      const tenth = Math.floor((value + 1) * 5);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(tenths.length).toBe(10);
    for (const count of tenths) expect(Math.abs(count - 100)).toBeLessThanOrEqual(2);
  });

  it('gives doubles the numbers of floats, with all their digits', () => {
    const feeds = generateFeeds([port('float64', [50], 'd'), port('float32', [50], 'f')]);
    expect(feeds?.['d']?.data).toBeInstanceOf(Float64Array);
    expect(Float32Array.from(feeds?.['d']?.data as Float64Array)).toEqual(feeds?.['f']?.data);
  });

  it.each([
    ['float16', new Uint16Array(3)],
    ['uint16', new Uint16Array(3)],
    ['int8', new Int8Array(3)],
    ['uint8', new Uint8Array(3)],
    ['bool', new Uint8Array(3)],
    ['int16', new Int16Array(3)],
    ['int32', new Int32Array(3)],
    ['uint32', new Uint32Array(3)],
    ['int64', new BigInt64Array(3)],
    ['uint64', new BigUint64Array(3)],
  ] as const)('gives %s zeros in its own array', (type, data) => {
    expect(generateFeeds([port(type)])).toStrictEqual({ x: { type, dims: [3], data } });
  });

  it('takes 1 for every dimension that is free, and a single value for a scalar', () => {
    const ports = [port('int32', ['batch', 4, -1, 0], 'free'), port('int32', [], 'scalar')];
    expect(generateFeeds(ports)).toEqual({
      free: { type: 'int32', dims: [1, 4, 1, 1], data: new Int32Array(4) },
      scalar: { type: 'int32', dims: [], data: new Int32Array(1) },
    });
  });

  it('makes nothing up for a model that reads strings', () => {
    expect(generateFeeds([port('float32', [1], 'a'), port('string', [1], 'b')])).toBeUndefined();
  });

  it('has nothing to make up where there are no inputs', () => {
    expect(generateFeeds([])).toEqual({});
  });
});
