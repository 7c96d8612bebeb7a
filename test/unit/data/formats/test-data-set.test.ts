import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problem } from '../../../../src/core/problem.ts';
import { err, ok } from '../../../../src/core/result.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { type DecodeTensorProto, openTestDataSet } from '../../../../src/data/formats/test-data-set.ts';
import { findRealModels } from '../../../support/real-models.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf, float32Npy, int64Npy, npy } from '../npz-writer.ts';
import { folderOf } from './folder-of-files.ts';

/** Stands for the decoder of ONNX: name, type, dims and values as JSON. */
const decode: DecodeTensorProto = (bytes) => {
  const text = Buffer.from(bytes).toString('utf8');
  if (!text.startsWith('{')) return err(problem('onnx-invalid', 'no TensorProto'));
  const {
    name,
    type = 'float32',
    dims,
    values,
  } = JSON.parse(text) as Tensor & { name: string; values: number[] };
  const data =
    type === 'string'
      ? values.map(String)
      : type === 'float16'
        ? Uint16Array.from(values)
        : Float32Array.from(values);
  return ok({ name, tensor: { type, dims, data } });
};

const pb = (name: string, dims: readonly number[], values: readonly number[], type = 'float32') =>
  JSON.stringify({ name, type, dims, values });

async function open(files: Readonly<Record<string, string | Uint8Array>>) {
  return unwrap(await openTestDataSet(folderOf(files), decode));
}

async function faultOf(files: Readonly<Record<string, string | Uint8Array>>) {
  const result = await openTestDataSet(folderOf(files), decode);
  if (result.ok) throw new Error('the folder was opened');
  return result.error;
}

const one = float32Npy([1, 2], [1, 2]);

describe('test data of a model', () => {
  it('is one item a folder, named by the TensorProtos, with output_0 as its truth', async () => {
    const collection = await open({
      'test_data_set_0/input_0.pb': pb('data', [1, 2], [1, 2]),
      'test_data_set_0/input_1.pb': pb('size', [], [3]),
      'test_data_set_0/output_0.pb': pb('prob', [1, 3], [4, 5, 6]),
      'test_data_set_1/input_0.pb': pb('', [1, 2], [7, 8]),
      'test_data_set_1/input_1.pb': pb('', [], [9]),
      'test_data_set_1/output_0.pb': pb('', [1, 3], [0, 0, 1]),
    });
    expect(collection).toMatchObject({
      count: 2,
      namesInputs: true,
      fields: [
        { kind: 'tensor', name: 'data', type: 'float32', dims: [2] },
        { kind: 'tensor', name: 'size', type: 'float32', dims: [] },
      ],
      unused: [],
    });
    expect(collection.describe(1)).toEqual({ id: 'test_data_set_1' });
    expect(unwrap(await collection.read(1))).toEqual({
      fields: {
        data: { kind: 'tensor', tensor: { type: 'float32', dims: [2], data: Float32Array.of(7, 8) } },
        size: { kind: 'tensor', tensor: { type: 'float32', dims: [], data: Float32Array.of(9) } },
      },
      truth: { kind: 'tensor', dims: [3], values: Float32Array.of(0, 0, 1) },
    });
  });

  it('may be .npy, has then the names of the files, and may be one folder alone', async () => {
    const folder = folderOf({
      'input_0.npy': int64Npy([1, 2], [5, 6]),
      'output_0.npy': int64Npy([1, 1], [7]),
    });
    const collection = unwrap(await openTestDataSet(folder, undefined));
    expect(collection).toMatchObject({
      count: 1,
      namesInputs: false,
      fields: [{ name: 'input_0', type: 'int64', dims: [2] }],
    });
    expect(collection.describe(0).id).toBe(folder.split('/').at(-1));
    expect(unwrap(await collection.read(0))).toEqual({
      fields: {
        input_0: { kind: 'tensor', tensor: { type: 'int64', dims: [2], data: BigInt64Array.of(5n, 6n) } },
      },
      truth: { kind: 'tensor', dims: [1], values: Float64Array.of(7) },
    });
  });

  it('comes in the order of the numbers in the names', async () => {
    const names = ['test_data_set_10', 'test_data_set_9', 'test_data_set_0', 'a', 'b2'];
    const collection = await open(Object.fromEntries(names.map((name) => [`${name}/input_0.npy`, one])));
    const ids = names.map((_, index) => collection.describe(index).id);
    expect(ids).toEqual(['a', 'b2', 'test_data_set_0', 'test_data_set_9', 'test_data_set_10']);
    expect(unwrap(await collection.read(0))).not.toHaveProperty('truth');
  });

  it('keeps a first axis that is not 1, and has no dims where the sets differ', async () => {
    const collection = await open({
      'a/input_0.npy': float32Npy([2, 2], [1, 2, 3, 4]),
      'a/input_1.npy': one,
      'b/input_0.npy': one,
      'b/input_1.npy': one,
    });
    expect(collection.fields).toMatchObject([
      { name: 'input_0', dims: undefined },
      { name: 'input_1', dims: [2] },
    ]);
    expect(unwrap(await collection.read(0)).fields['input_0']).toMatchObject({ tensor: { dims: [2, 2] } });
    expect(unwrap(await collection.read(1)).fields['input_0']).toMatchObject({ tensor: { dims: [2] } });
  });

  it('has half-precision truths as numbers', async () => {
    const half = npy('<f2', [1, 2], bytesOf(Uint16Array.of(0x3c00, 0xc000)));
    const collection = await open({ 'input_0.npy': one, 'output_0.npy': half });
    expect(unwrap(await collection.read(0)).truth).toEqual({
      kind: 'tensor',
      dims: [2],
      values: Float64Array.of(1, -2),
    });
  });

  it('leaves other files and later outputs unused', async () => {
    const collection = await open({
      'a/input_0.npy': one,
      'a/output_0.npy': one,
      'a/output_1.npy': one,
      'a/deeper/input_0.npy': one,
      'a/.hidden': '',
      'model.onnx': '',
    });
    expect(collection.count).toBe(1);
    expect(collection.unused).toEqual(['a/.hidden', 'a/deeper/input_0.npy', 'model.onnx', 'a/output_1.npy']);
  });

  it('has one content key for equal inputs', async () => {
    const collection = await open({
      'a/input_0.npy': one,
      'a/output_0.npy': one,
      'b/input_0.npy': one,
      'b/output_0.npy': float32Npy([1], [9]),
      'c/input_0.npy': float32Npy([1, 2], [1, 3]),
      'c/output_0.npy': one,
    });
    const keys = await Promise.all(
      [0, 1, 2].map(async (index) => unwrap(await collection.contentKey(index))),
    );
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).not.toBe(keys[2]);
  });

  it.each([
    [
      'no sets',
      { 'model.onnx': '', 'a/b/input_0.npy': one },
      'no-samples',
      "it holds 'a/b/input_0.npy', 'model.onnx'",
    ],
    [
      'outputs alone',
      { 'a/output_0.npy': one },
      'data-invalid',
      "the set 'a' has no file input_0.pb or input_0.npy",
    ],
    [
      'an input less',
      { 'a/input_0.npy': one, 'a/input_1.npy': one, 'b/input_0.npy': one },
      'data-invalid',
      "the set 'b' has the inputs 0, but 'a' has 0, 1",
    ],
    [
      'an output less',
      { 'a/input_0.npy': one, 'b/input_0.npy': one, 'b/output_0.npy': one },
      'data-invalid',
      "the set 'a' has no output_0, but 'b' has",
    ],
    [
      'an input twice',
      { 'a/input_0.npy': one, 'a/input_0.pb': '{}' },
      'data-invalid',
      "the set 'a' has 'input_0.npy', 'input_0.pb' for one array",
    ],
    [
      'another type',
      { 'a/input_0.npy': one, 'b/input_0.npy': int64Npy([1, 2], [1, 2]) },
      'data-invalid',
      "the set 'b' has int64 in input_0, but 'a' has float32",
    ],
    [
      'one name for two inputs',
      { 'input_0.pb': pb('x', [1], [1]), 'input_1.pb': pb('x', [1], [1]) },
      'data-invalid',
      "gives one name to several inputs: 'x', 'x'",
    ],
    ['a broken .npy', { 'a/input_0.npy': one.subarray(0, -1) }, 'npy-invalid', 'but the file holds 7'],
    ['a broken .pb', { 'a/input_0.pb': 'x' }, 'onnx-invalid', 'no TensorProto'],
  ])('is refused with %s', async (_what, files, kind, message) => {
    expect(await faultOf(files as Record<string, string | Uint8Array>)).toMatchObject({
      kind,
      message: expect.stringContaining(message),
      place: { file: expect.any(String) },
    });
  });

  it('is refused as .pb where nothing can decode it, and as a truth of texts', async () => {
    const proto = await openTestDataSet(folderOf({ 'input_0.pb': pb('x', [1], [1]) }), undefined);
    expect(proto).toMatchObject({ ok: false, error: { kind: 'data-unsupported' } });
    const collection = await open({ 'input_0.npy': one, 'output_0.pb': pb('x', [1], [1], 'string') });
    expect(await collection.read(0)).toMatchObject({
      ok: false,
      error: { kind: 'labels-invalid', place: { sample: 0 } },
    });
  });

  const models = findRealModels();
  const folder =
    models.directory === undefined ? undefined : join(models.directory, 'squeezenet1_1/test_data_set');
  it.skipIf(folder === undefined)(
    `of a real model is read (${models.reason ?? 'there are some'})`,
    async () => {
      const collection = unwrap(await openTestDataSet(folder ?? '', undefined));
      expect(collection).toMatchObject({
        count: 3,
        fields: [{ name: 'input_0', type: 'float32', dims: [3, 224, 224] }],
      });
      for (let i = 0; i < 3; i += 1) {
        const { truth } = unwrap(await collection.read(i));
        expect(truth).toMatchObject({ kind: 'tensor', dims: [1000] });
      }
    },
  );
});
