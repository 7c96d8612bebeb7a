import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFloat16 } from '../../../src/core/float16.ts';
import type { ElementType, Tensor } from '../../../src/core/tensor.ts';
import { bindConstant } from '../../../src/data/bind-constant.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { unwrap } from '../../support/unwrap.ts';

const PLACE = { file: 'data', tensor: 'x' };

function bind(type: ElementType, dims: ModelInput['dims'], value: number | readonly number[]) {
  const input: ModelInput = dims === undefined ? { name: 'x', type } : { name: 'x', type, dims };
  return bindConstant(input, value, 'data');
}

async function fed(...args: Parameters<typeof bind>): Promise<Tensor> {
  const binding = unwrap(bind(...args));
  const { tensor } = unwrap(await binding.prepare(undefined, {}));
  expect(binding.fed).toEqual({ name: 'x', type: tensor.type, dims: tensor.dims });
  expect(binding.field).toBeUndefined();
  return tensor;
}

describe('the dimensions of a constant', () => {
  it.each<[string, ModelInput['dims'], number | number[], number[]]>([
    ['are none for a scalar', [], 5, []],
    ['are none where the rank is unknown', undefined, 5, []],
    ['are those of the input', [2, 2], [1, 2, 3, 4], [2, 2]],
    ['take one number for a vector of one', [1], 5, [1]],
    ['take a batch of 1 and a vector', ['batch', 2], [1, 2], [1, 2]],
    ['take what is left in the last free one', ['batch', 'n'], [1, 2, 3], [1, 3]],
    ['take what is left in a free one before a fixed one', ['n', 2], [1, 2, 3, 4], [2, 2]],
    ['may be empty in a free one', ['n'], [], [0]],
  ])('%s', async (_case, dims, value, expected) => {
    expect((await fed('int64', dims, value)).dims).toEqual(expected);
  });

  it.each<[string, ModelInput['dims'], number | number[], string]>([
    ['too few numbers', [2], 5, '1 number is given'],
    ['too many numbers', [2], [1, 2, 3], '3 numbers are given'],
    ['a vector for a scalar', [], [1, 2], "'x', which is []"],
    ['a vector for an unknown rank', undefined, [1, 2], "'x', which is [unknown]"],
    ['numbers that fill no whole row', ['n', 2], [1, 2, 3], "'x', which is [n,2]"],
    ['an input without elements', [0], [1], "'x', which is [0]"],
    ['a free dimension beside one without elements', ['n', 0], [1], "'x', which is [n,0]"],
  ])('refuse %s', (_case, dims, value, message) => {
    expect(bind('int64', dims, value)).toMatchObject({
      ok: false,
      error: { kind: 'shape-mismatch', message: expect.stringContaining(message), place: PLACE },
    });
  });
});

describe('the values of a constant', () => {
  it.each<[ElementType, number[], ArrayLike<number | bigint>]>([
    ['float32', [0.1, -3.4e38, 1e20], Float32Array.of(0.1, -3.4e38, 1e20)],
    [
      'float32',
      [Number.POSITIVE_INFINITY, Number.NaN],
      Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN),
    ],
    ['float64', [0.1, 1e300], Float64Array.of(0.1, 1e300)],
    ['float16', [0.5, -65504], Uint16Array.of(encodeFloat16(0.5), encodeFloat16(-65504))],
    ['int8', [-128, 127], Int8Array.of(-128, 127)],
    ['uint8', [0, 255], Uint8Array.of(0, 255)],
    ['int16', [-32768], Int16Array.of(-32768)],
    ['uint16', [65535], Uint16Array.of(65535)],
    ['int32', [-(2 ** 31)], Int32Array.of(-(2 ** 31))],
    ['uint32', [2 ** 32 - 1], Uint32Array.of(2 ** 32 - 1)],
    ['int64', [16000, -(2 ** 63)], BigInt64Array.of(16000n, -(2n ** 63n))],
    ['uint64', [2 ** 63, 1], BigUint64Array.of(2n ** 63n, 1n)],
    ['bool', [0, 1], Uint8Array.of(0, 1)],
  ])('are stored as %s', async (type, value, data) => {
    expect(await fed(type, ['n'], value)).toEqual({ type, dims: [value.length], data });
  });

  it.each<[ElementType, number[]]>([
    ['float32', [1e39]],
    ['float16', [70000]],
    ['int8', [128]],
    ['uint8', [-1]],
    ['uint8', [0.5]],
    ['int64', [0.5]],
    ['int64', [2 ** 63]],
    ['int64', [1e300]],
    ['int64', [Number.NaN]],
    ['uint64', [2 ** 64]],
    ['uint64', [2 ** 63, -1]],
    ['bool', [2]],
    ['string', [1]],
  ])('that %s cannot hold are refused: %j', (type, value) => {
    expect(bind(type, ['n'], value)).toMatchObject({
      ok: false,
      error: {
        kind: 'value-unrepresentable',
        message: `the input 'x' is ${type}, which cannot hold ${value.join(', ')}`,
        place: PLACE,
      },
    });
  });

  it('keep every whole number that int64 can hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.maxSafeInteger(), async (value) => {
        expect((await fed('int64', [], value)).data).toEqual(BigInt64Array.of(BigInt(value)));
      }),
    );
  });
});
