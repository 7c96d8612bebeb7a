import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../../src/core/data-spec.ts';
import { encodeFloat16 } from '../../../src/core/float16.ts';
import type { ElementType, NumericArray, Tensor } from '../../../src/core/tensor.ts';
import { bindTensor } from '../../../src/data/bind-tensor.ts';
import type { FieldInfo } from '../../../src/data/item-collection.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { unwrap } from '../../support/unwrap.ts';

type TensorField = FieldInfo & { readonly kind: 'tensor' };

const X: ModelInput = { name: 'x', type: 'float32', dims: ['n', 2] };
const FIELD: TensorField = { kind: 'tensor', name: 'f', type: 'float32', dims: [2] };
const AT = { file: 'data', sample: 7 };

const bind = (
  spec: InputSpec,
  input: Partial<ModelInput> = {},
  field: { readonly [K in keyof TensorField]?: TensorField[K] | undefined } = {},
) => bindTensor({ ...X, ...input }, { ...FIELD, ...field } as TensorField, spec, 'data');

/** What becomes of one item that is a vector. */
function prepare(spec: InputSpec, type: ElementType, data: NumericArray, input: Partial<ModelInput> = {}) {
  const dims = [data.length];
  const binding = unwrap(bind(spec, { dims: ['n', 'k'], ...input }, { type, dims }));
  return binding.prepare({ kind: 'tensor', tensor: { type, dims, data } }, AT);
}

async function fed(...args: Parameters<typeof prepare>): Promise<Tensor> {
  return unwrap(await prepare(...args)).tensor;
}

describe('numbers that are fed as they are', () => {
  it('are the very array, with the dimensions of the model', async () => {
    const data = Float32Array.of(1, 2);
    const binding = unwrap(bind({}));
    expect(binding).toMatchObject({ fed: { name: 'x', type: 'float32', dims: [1, 2] }, field: 'f' });
    const { tensor } = unwrap(
      await binding.prepare({ kind: 'tensor', tensor: { type: 'float32', dims: [2], data } }, AT),
    );
    expect(tensor).toEqual({ type: 'float32', dims: [1, 2], data });
    expect(tensor.data).toBe(data);
  });

  it('become another type where nothing is lost', async () => {
    expect((await fed({}, 'uint8', Uint8Array.of(0, 255))).data).toEqual(Float32Array.of(0, 255));
    expect((await fed({}, 'int32', Int32Array.of(-5), { type: 'int64' })).data).toEqual(
      BigInt64Array.of(-5n),
    );
    expect((await fed({}, 'float16', Uint16Array.of(encodeFloat16(-1.5)))).data).toEqual(
      Float32Array.of(-1.5),
    );
  });

  it.each<[string, ElementType, NumericArray, ElementType, string]>([
    [
      'a whole number that float32 rounds',
      'int32',
      Int32Array.of(1, 16777217),
      'float32',
      'element 1 is 16777217',
    ],
    ['a number beyond the type', 'int32', Int32Array.of(300), 'uint8', 'element 0 is 300 (int32)'],
    ['a float beyond float32', 'float64', Float64Array.of(1e300), 'float32', 'element 0 is 1e+300 (float64)'],
  ])('are refused with %s, which names the sample', async (_case, type, data, wanted, message) => {
    expect(await prepare({}, type, data, { type: wanted })).toMatchObject({
      ok: false,
      error: {
        kind: 'value-unrepresentable',
        message: expect.stringContaining(message),
        place: { ...AT, tensor: 'f' },
        hint: expect.stringContaining(wanted),
      },
    });
  });

  it.each<[ElementType, ElementType, string]>([
    ['float32', 'int64', 'np.int64'],
    ['float64', 'bool', 'np.bool_'],
    ['string', 'float32', 'np.float32'],
    ['string', 'string', 'np.string'],
  ])('are refused at once where they are %s and the input is %s', (type, wanted, hint) => {
    expect(bind({}, { type: wanted }, { type })).toMatchObject({
      ok: false,
      error: {
        kind: 'dtype-mismatch',
        message: `the array is ${type}, the model's input 'x' is ${wanted}`,
        place: { file: 'data', tensor: 'f' },
        hint: expect.stringContaining(hint),
      },
    });
  });
});

describe('scale, mean and std', () => {
  const SPEC = { scale: 1 / 255, mean: 0.485, std: 0.229 };
  const expected = (x: number) =>
    Math.fround(
      Math.fround(Math.fround(Math.fround(x) * (1 / 255)) - Math.fround(0.485)) / Math.fround(0.229),
    );

  it.each<[ElementType, NumericArray]>([
    ['int8', Int8Array.of(-128, 0, 127)],
    ['uint8', Uint8Array.of(0, 1, 255)],
    ['int16', Int16Array.of(-32768, 32767)],
    ['uint16', Uint16Array.of(0, 65535)],
    ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 123456789)],
    ['uint32', Uint32Array.of(0, 2 ** 32 - 1, 4000000001)],
    ['int64', BigInt64Array.of(-5n, 2n ** 53n, 123456789n)],
    ['uint64', BigUint64Array.of(0n, 2n ** 63n)],
    ['bool', Uint8Array.of(0, 1)],
    ['float32', Float32Array.of(-0.1, 3.7)],
    ['float64', Float64Array.of(1 / 3, -1e-3)],
  ])('compute with %s in float32', async (type, data) => {
    const { data: found, type: made } = await fed(SPEC, type, data);
    expect(made).toBe('float32');
    expect(found).toEqual(
      Float32Array.from(Array.from(data as ArrayLike<number | bigint>, Number), expected),
    );
  });

  it('decode halves first, and round to halves for a model that takes them', async () => {
    const halves = Uint16Array.of(encodeFloat16(0.1), encodeFloat16(-2));
    const tenth = 0.0999755859375;
    expect((await fed({ scale: 2 }, 'float16', halves)).data).toEqual(Float32Array.of(2 * tenth, -4));
    expect((await fed({ scale: 2 }, 'float16', halves, { type: 'float16' })).data).toEqual(
      Uint16Array.of(encodeFloat16(2 * tenth), encodeFloat16(-4)),
    );
  });

  it('make a byte the float32 quotient by 255, as they do for pictures', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    expect((await fed({ scale: 1 / 255 }, 'uint8', bytes)).data).toEqual(
      Float32Array.from(bytes, (byte) => byte / 255),
    );
  });

  it('come in that order: (x · scale − mean) / std', async () => {
    const { data } = await fed({ scale: 3, mean: 1, std: 4 }, 'uint8', Uint8Array.of(7));
    expect(data).toEqual(Float32Array.of(5));
  });

  it('each may stand alone, and 1, 0 and 1 change nothing', async () => {
    expect((await fed({ mean: 1 }, 'uint8', Uint8Array.of(7))).data).toEqual(Float32Array.of(6));
    expect((await fed({ std: 2 }, 'uint8', Uint8Array.of(7))).data).toEqual(Float32Array.of(3.5));
    const kept = await fed({ scale: 1, mean: 0, std: 1 }, 'uint8', Uint8Array.of(7), { type: 'uint8' });
    expect(kept.data).toEqual(Uint8Array.of(7));
  });

  it('equal float32 arithmetic step by step', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1 }),
        fc.float({ min: Math.fround(0.001), max: 1000, noNaN: true }),
        fc.float({ min: -1000, max: 1000, noNaN: true }),
        async (values, scale, mean) => {
          const { data } = await fed({ scale, mean, std: 3 }, 'int32', Int32Array.from(values));
          const [x, y, z] = [Float32Array.from(values), new Float32Array(1), new Float32Array(1)];
          for (let i = 0; i < x.length; i += 1) {
            y[0] = (x[i] as number) * scale;
            z[0] = (y[0] as number) - mean;
            y[0] = (z[0] as number) / 3;
            expect(data[i]).toBe(y[0]);
          }
        },
      ),
    );
  });

  it('keep infinities and NaN that the data holds', async () => {
    const data = Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN);
    expect((await fed({ scale: 2 }, 'float32', data)).data).toEqual(data);
  });

  it.each<[string, InputSpec, ElementType, NumericArray, ElementType, string]>([
    [
      'overflows float32',
      { scale: 1e38 },
      'uint8',
      Uint8Array.of(1, 200),
      'float32',
      'element 1 becomes Infinity',
    ],
    [
      'is beyond float32 itself',
      { scale: 1e-30 },
      'float64',
      Float64Array.of(1e300),
      'float32',
      'becomes Infinity',
    ],
    ['overflows float16', { scale: 1000 }, 'uint8', Uint8Array.of(70), 'float16', 'element 0 becomes 70000'],
  ])('are refused where a finite number %s', async (_case, spec, type, data, wanted, message) => {
    expect(await prepare(spec, type, data, { type: wanted })).toMatchObject({
      ok: false,
      error: {
        kind: 'value-unrepresentable',
        message: expect.stringContaining(message),
        place: { ...AT, tensor: 'f' },
      },
    });
  });

  it.each<[string, InputSpec, string]>([
    ['a mean by channel', { mean: [1, 2, 3] }, 'the data has no channels'],
    ['a std by channel', { std: [1] }, 'the data has no channels'],
    ['a std of 0', { std: 0 }, 'std is 0'],
    ['a std that float32 takes for 0', { std: 1e-60 }, 'std is 1e-60'],
    ['a scale of 0', { scale: 0 }, 'scale is 0'],
    ['a scale that float32 cannot hold', { scale: 1e60 }, 'scale is 1e+60, which float32 cannot hold'],
    ['a mean that is not a number', { mean: Number.NaN }, 'mean is NaN'],
  ])('are refused with %s', (_case, spec, message) => {
    expect(bind(spec)).toMatchObject({
      ok: false,
      error: {
        kind: 'preprocess-invalid',
        message: expect.stringContaining(message),
        place: { file: 'data', tensor: 'f' },
      },
    });
  });

  it('feed no integers', () => {
    expect(bind({ scale: 2 }, { type: 'int64' }, { type: 'uint8' })).toMatchObject({
      ok: false,
      error: { kind: 'dtype-mismatch', message: expect.stringContaining('make the array float32') },
    });
  });

  it('make no numbers of texts', () => {
    expect(bind({ scale: 2 }, {}, { type: 'string' })).toMatchObject({
      ok: false,
      error: { kind: 'dtype-mismatch', message: expect.stringContaining('the array is string') },
    });
  });
});

describe('another shape', () => {
  it('is given to the same elements', async () => {
    const binding = unwrap(bind({ dims: [1, 2, 3] }, { dims: ['n', 1, 2, 3] }, { dims: [6] }));
    expect(binding.fed.dims).toEqual([1, 1, 2, 3]);
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const prepared = await binding.prepare(
      { kind: 'tensor', tensor: { type: 'float32', dims: [6], data } },
      AT,
    );
    expect(unwrap(prepared).tensor).toEqual({ type: 'float32', dims: [1, 1, 2, 3], data });
  });

  it('must have as many elements as an item, and fit the model', () => {
    expect(bind({ dims: [3] }, {}, { dims: [2] })).toMatchObject({
      ok: false,
      error: { kind: 'shape-mismatch', message: expect.stringContaining('[2], which do not become [3]') },
    });
    expect(bind({ dims: [2, 1] }, {}, { dims: [2] })).toMatchObject({
      ok: false,
      error: {
        kind: 'shape-mismatch',
        message: expect.stringContaining("[2,1] for each item, the model's input"),
      },
    });
  });

  it('is checked of each item where they differ', async () => {
    const binding = unwrap(bind({ dims: [1, 2] }, { dims: ['n', 1, 2] }, { dims: undefined }));
    expect(binding.fed.dims).toEqual([1, 1, 2]);
    const item = (values: readonly number[]) =>
      binding.prepare(
        {
          kind: 'tensor',
          tensor: { type: 'float32', dims: [values.length], data: Float32Array.from(values) },
        },
        AT,
      );
    expect(unwrap(await item([1, 2])).tensor.dims).toEqual([1, 1, 2]);
    expect(await item([1, 2, 3])).toMatchObject({
      ok: false,
      error: {
        kind: 'shape-mismatch',
        message: expect.stringContaining('[3]'),
        place: { ...AT, tensor: 'f' },
      },
    });
  });
});

describe('the shape of items', () => {
  it('is refused at once where it is known and does not fit, with what is wanted', () => {
    expect(bind({}, {}, { dims: [3], place: 'eval/f' })).toMatchObject({
      ok: false,
      error: {
        kind: 'shape-mismatch',
        place: { file: 'data', tensor: 'eval/f' },
        hint: expect.stringContaining('[samples, 2] or [samples, any, 2]'),
      },
    });
  });

  it('is refused of the item where it differs from item to item', async () => {
    const binding = unwrap(bind({}, {}, { dims: undefined, place: 'input_0' }));
    expect(binding.fed.dims).toBeUndefined();
    const item = (dims: readonly number[]) =>
      binding.prepare(
        {
          kind: 'tensor',
          tensor: { type: 'float32', dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)) },
        },
        AT,
      );
    expect(unwrap(await item([2])).tensor.dims).toEqual([1, 2]);
    expect(unwrap(await item([5, 2])).tensor.dims).toEqual([5, 2]);
    expect(await item([3])).toMatchObject({
      ok: false,
      error: { kind: 'shape-mismatch', place: { ...AT, tensor: 'input_0' } },
    });
  });

  it('says so where the model takes many samples at a time', () => {
    expect(bind({}, { dims: [4, 2] })).toMatchObject({
      ok: false,
      error: { hint: expect.stringContaining('takes 4 samples at a time') },
    });
  });
});
