import { describe, expect, it, onTestFinished } from 'vitest';
import type { DataSpec } from '../../../../src/core/data-spec.ts';
import type { ItemCollection } from '../../../../src/data/item-collection.ts';
import { openSamples } from '../../../../src/data/open-samples.ts';
import type { ModelInput } from '../../../../src/data/sample-source.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { fileOf } from './folder-of-files.ts';
import { b64, faultOf, IDS, open, X } from './perf-analyzer-file.ts';

async function tensorOf(collection: ItemCollection, index = 0, name = 'x') {
  const value = unwrap(await collection.read(index)).fields[name];
  if (value?.kind !== 'tensor') throw new Error('no tensor');
  return value.tensor;
}

describe('input data of perf_analyzer', () => {
  it('is an entry a sample, in all the forms of a value, with the type and dims of the input', async () => {
    const values = Float32Array.of(1, -2.5, 3, 4);
    const collection = await open({
      data: [
        { x: [1, -2.5, 3, 4] },
        { x: { content: [1, -2.5, 3, 4] } },
        { x: { content: [1, -2.5, 3, 4], shape: [2, 2] } },
        { x: b64(values) },
        { x: { ...b64(values), shape: [2, 2] } },
        { x: { content: b64(values), shape: [2, 2] } },
      ],
    });
    expect(collection).toMatchObject({
      count: 6,
      fields: [{ kind: 'tensor', name: 'x', type: 'float32', dims: [2, 2] }],
      unused: [],
    });
    for (let index = 0; index < 6; index += 1) {
      expect(await tensorOf(collection, index)).toEqual({ type: 'float32', dims: [2, 2], data: values });
    }
    expect(collection.describe(3)).toEqual({ id: 'data/3' });
  });

  it('may have another shape in every entry, for inputs with free dimensions', async () => {
    const modelInputs = [{ ...X, dims: ['batch', 'height', 'width'] }];
    const collection = await open(
      {
        data: [
          { x: { content: [1, 2, 3, 4, 5, 6], shape: [2, 3] } },
          { x: { content: [1, 2], shape: [1, 2] } },
        ],
      },
      { modelInputs },
    );
    expect(collection.fields).toMatchObject([{ dims: undefined }]);
    expect((await tensorOf(collection, 0)).dims).toEqual([2, 3]);
    expect((await tensorOf(collection, 1)).dims).toEqual([1, 2]);
    expect(await faultOf({ data: [{ x: [1, 2] }] }, { modelInputs })).toMatchObject({
      kind: 'item-invalid',
      message: "it holds 2 numbers without a shape, and the input 'x' has none that is fixed",
      place: { field: '/data/0/x' },
    });
  });

  it('is a row of any length where the input is one', async () => {
    const collection = await open({ data: [{ ids: [1, 2, 3] }, { ids: [4] }] }, { modelInputs: [IDS] });
    expect(await tensorOf(collection, 0, 'ids')).toEqual({
      type: 'int64',
      dims: [3],
      data: BigInt64Array.of(1n, 2n, 3n),
    });
    expect((await tensorOf(collection, 1, 'ids')).dims).toEqual([1]);
  });

  it.each([
    ['float64', [0.1, 2], Float64Array.of(0.1, 2)],
    ['float16', [1, -2], Uint16Array.of(0x3c00, 0xc000)],
    ['int8', [-128, 127], Int8Array.of(-128, 127)],
    ['uint8', [0, 255], Uint8Array.of(0, 255)],
    ['int16', [-5, 5], Int16Array.of(-5, 5)],
    ['uint16', [0, 65535], Uint16Array.of(0, 65535)],
    ['int32', [-7, 7], Int32Array.of(-7, 7)],
    ['uint32', [0, 4294967295], Uint32Array.of(0, 4294967295)],
    ['int64', [-9007199254740991, 3], BigInt64Array.of(-9007199254740991n, 3n)],
    ['uint64', [0, 3], BigUint64Array.of(0n, 3n)],
    ['bool', [true, 0], Uint8Array.of(1, 0)],
  ] as const)('holds %s as numbers and as little-endian bytes', async (type, content, data) => {
    const modelInputs = [{ name: 'x', type, dims: ['batch', 2] }];
    const collection = await open({ data: [{ x: content }, { x: b64(data) }] }, { modelInputs });
    for (const index of [0, 1]) expect(await tensorOf(collection, index)).toEqual({ type, dims: [2], data });
  });

  it('keeps NaN and infinities in bytes, which JSON cannot write', async () => {
    const values = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 0, 0);
    const collection = await open({ data: [{ x: b64(values) }] });
    expect((await tensorOf(collection)).data).toEqual(values);
  });

  it('feeds the only input whatever it is called, and others by name or by `from`', async () => {
    const only = await open({ data: [{ pixels: b64(Float32Array.of(1, 2, 3, 4)) }] });
    expect(await tensorOf(only, 0, 'pixels')).toMatchObject({ type: 'float32', dims: [2, 2] });
    const two = await open(
      { data: [{ tokens: b64(BigInt64Array.of(5n)), x: [1, 2, 3, 4] }] },
      { modelInputs: [X, IDS], spec: { inputs: { ids: { from: 'tokens' } } } },
    );
    expect(await tensorOf(two, 0, 'tokens')).toEqual({
      type: 'int64',
      dims: [1],
      data: BigInt64Array.of(5n),
    });
    expect(await tensorOf(two, 0, 'x')).toMatchObject({ dims: [2, 2] });
  });

  it('leaves alone what perf_analyzer reads itself, and names what else nobody is fed', async () => {
    const collection = await open({
      meta: { by: 'me' },
      data: [
        { x: [1, 2, 3, 4], model: 'a', timestamp: [5], payload: [{}], note: 'n' },
        { x: [1, 2, 3, 4], other: [1] },
      ],
    });
    expect(collection.fields.map(({ name }) => name)).toEqual(['x']);
    expect(collection.unused).toEqual(["'note' (first in /data/0)", "'other' (first in /data/1)", "'meta'"]);
    const timed = await open(
      { data: [{ timestamp: [5, 6] }] },
      { modelInputs: [{ ...X, name: 'timestamp', dims: [2] }] },
    );
    expect((await tensorOf(timed, 0, 'timestamp')).data).toEqual(Float32Array.of(5, 6));
  });

  it('gives a module of the user all numbers, those for no input as float64', async () => {
    const collection = await open(
      { data: [{ y: [0.1, 2], x: [1, 2, 3, 4] }] },
      { spec: { module: '/mine.mjs' } },
    );
    expect(await tensorOf(collection, 0, 'y')).toEqual({
      type: 'float64',
      dims: [2],
      data: Float64Array.of(0.1, 2),
    });
  });

  it('has texts as lists of one', async () => {
    const root = {
      data: [
        { question: ['Who?'], n: [1] },
        { question: { content: ['Why?'], shape: [1] }, n: [2] },
      ],
    };
    const collection = await open(root, { modelInputs: [IDS] });
    expect(collection.fields[0]).toEqual({ kind: 'text', name: 'question' });
    expect(unwrap(await collection.read(1)).fields['question']).toEqual({ kind: 'text', text: 'Why?' });
  });

  it('has one content key for entries that feed the same, however they are written', async () => {
    const collection = await open(
      '{"data": [{"x": [1, 2, 3, 4], "timestamp": [1]}, {"timestamp": [2],\n "x":[1,2,3,4.0]}, {"x": [1, 2, 3, 5]}]}',
    );
    const keys = await Promise.all(
      [0, 1, 2].map(async (index) => unwrap(await collection.contentKey(index))),
    );
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it('may be spread over lines and larger than a block', async () => {
    const data = Array.from({ length: 3000 }, (_, at) => ({
      x: [at, 0.125, at / 7, -1 - at],
      pad: 'é]}"'.repeat(100),
    }));
    const collection = await open(JSON.stringify({ data }, undefined, 1));
    expect(collection.count).toBe(3000);
    for (const at of [0, 1, 1499, 2999]) {
      expect((await tensorOf(collection, at)).data).toEqual(Float32Array.of(at, 0.125, at / 7, -1 - at));
    }
  });
});

describe('streams of perf_analyzer', () => {
  const data = [[{ x: [1, 1, 1, 1] }, { x: [2, 2, 2, 2] }], [], [{ x: [3, 3, 3, 3] }]];

  it('are sequences and groups, with their steps in order', async () => {
    const collection = await open({ data });
    expect(collection.count).toBe(3);
    expect([0, 1, 2].map((index) => collection.describe(index))).toEqual([
      { id: 'data/0/0', group: '0', sequence: '0' },
      { id: 'data/0/1', group: '0', sequence: '0' },
      { id: 'data/2/0', group: '2', sequence: '2' },
    ]);
    for (const index of [2, 0, 1]) expect((await tensorOf(collection, index)).data[0]).toBe(index + 1);
  });

  it('are not mixed with entries', async () => {
    expect(await faultOf({ data: [[{ x: [1, 2, 3, 4] }], { x: [1, 2, 3, 4] }] })).toMatchObject({
      message: 'the entry is no stream, but the first one is',
      place: { field: '/data/1' },
    });
    expect(await faultOf({ data: [{ x: [1, 2, 3, 4] }, []] })).toMatchObject({
      message: 'the entry is a stream, but the first one is none',
    });
  });

  it('have their expected outputs step by step', async () => {
    const outputs = [[{ y: [1] }, { y: [2] }], [], [{ y: [3] }]];
    const collection = await open({ validation_data: outputs, data }, { withTruth: true });
    expect(unwrap(await collection.read(2)).truth).toEqual({
      kind: 'tensor',
      dims: [1],
      values: Float64Array.of(3),
    });
    const others = [
      [[{ y: [1] }], [], [{ y: [3] }]],
      [{ y: [1] }, { y: [1] }, { y: [3] }],
    ];
    for (const validation_data of others) {
      expect(await faultOf({ validation_data, data }, { withTruth: true })).toMatchObject({
        message: "the entry does not have the steps of '/data/0'",
        place: { field: '/validation_data/0' },
      });
    }
  });
});

describe('validation data of perf_analyzer', () => {
  const data = [{ x: [1, 2, 3, 4] }, { x: [5, 6, 7, 8] }];

  it('is the truth where it has one output, and is not looked at where nobody wants truths', async () => {
    const root = { data, validation_data: [{ y: [1, 0.5] }, { y: { content: [3, 4], shape: [2, 1] } }] };
    const collection = await open(root, { withTruth: true });
    expect(unwrap(await collection.read(0)).truth).toEqual({
      kind: 'tensor',
      dims: [2],
      values: Float64Array.of(1, 0.5),
    });
    expect(unwrap(await collection.read(1)).truth).toMatchObject({ dims: [2, 1] });
    const without = await open({ data, validation_data: [7, 8] });
    expect(unwrap(await without.read(0))).not.toHaveProperty('truth');
    expect(without.unused).toEqual([]);
  });

  it.each([
    [
      'several outputs',
      [
        { y: [1], z: [2] },
        { y: [1], z: [2] },
      ],
    ],
    ['outputs that change', [{ y: [1] }, { z: [1] }]],
    ['none', [{}, {}]],
  ])('is unused with %s, as nobody says which counts', async (_what, outputs) => {
    const collection = await open({ data, validation_data: outputs }, { withTruth: true });
    expect(collection.unused).toEqual([
      "'validation_data' (not one output in every entry, and the same one)",
    ]);
    expect(unwrap(await collection.read(0))).not.toHaveProperty('truth');
  });

  it('is refused where it does not belong to the data, or holds bytes of an unknown type', async () => {
    expect(await faultOf({ data, validation_data: [{ y: [1] }] })).toMatchObject({
      kind: 'data-invalid',
      message: "'validation_data' has 1 entries, but 'data' has 2",
      place: { field: '/validation_data' },
    });
    const bytes = { data, validation_data: [{ y: [1] }, { y: { b64: 'AAAA' } }] };
    expect(await faultOf(bytes, { withTruth: true })).toMatchObject({
      kind: 'item-invalid',
      message: 'it holds bytes, whose type is not known',
      place: { field: '/validation_data/1/y' },
    });
  });
});

describe('samples of perf_analyzer', () => {
  async function samplesOf(root: unknown, modelInputs: readonly ModelInput[], spec: Partial<DataSpec> = {}) {
    const path = fileOf('data.json', JSON.stringify(root));
    return openSamples({ path, ...spec }, { split: 'all', modelInputs });
  }

  it('are bound by name, with the batch axis of the model', async () => {
    const root = { data: [{ ids: [7, 8], x: b64(Float32Array.of(1, 2, 3, 4)) }] };
    const source = unwrap(await samplesOf(root, [X, IDS]));
    onTestFinished(() => source.close());
    expect(unwrap(await source.read(0)).feeds).toEqual({
      x: { type: 'float32', dims: [1, 2, 2], data: Float32Array.of(1, 2, 3, 4) },
      ids: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(7n, 8n) },
    });
  });

  it('are scaled and reshaped as any other', async () => {
    const spec = { preprocess: { scale: 0.5, dims: [4, 1] } };
    const source = unwrap(
      await samplesOf({ data: [{ x: [2, 4, 6, 8] }] }, [{ ...X, dims: ['batch', 'h', 'w'] }], spec),
    );
    onTestFinished(() => source.close());
    expect(unwrap(await source.read(0)).feeds['x']).toEqual({
      type: 'float32',
      dims: [1, 4, 1],
      data: Float32Array.of(1, 2, 3, 4),
    });
  });

  it('may be pictures of bytes', async () => {
    const spec = { preprocess: { image: { layout: 'nchw' }, scale: 1 / 255 } } as const;
    const root = { data: [{ x: { content: [0, 51, 102, 153, 204, 255], shape: [1, 2, 3] } }] };
    const source = unwrap(await samplesOf(root, [{ ...X, dims: [1, 3, 1, 2] }], spec));
    onTestFinished(() => source.close());
    const { data } = unwrap(await source.read(0)).feeds['x'] as { data: Float32Array };
    expect(Array.from(data, (value) => Math.round(value * 255))).toEqual([0, 153, 51, 204, 102, 255]);
  });

  it('are missed where no field has the name of an input', async () => {
    expect(await samplesOf({ data: [{ y: [1], z: [1] }] }, [X])).toMatchObject({
      ok: false,
      error: { kind: 'input-missing', message: expect.stringContaining("it has 'y', 'z'") },
    });
  });
});
