import { describe, expect, it, onTestFinished } from 'vitest';
import { type NpzChoice, openNpzCollection } from '../../../../src/data/formats/npz-collection.ts';
import type { ItemCollection } from '../../../../src/data/item-collection.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf, float32Npy, int64Npy, npy, npz } from '../npz-writer.ts';
import { fileOf } from './folder-of-files.ts';

const ROWS = float32Npy([3, 2], [1, 2, 3, 4, 5, 6]);
const PICKLED = npy('|O', [3], new Uint8Array(8));

type Arrays = Readonly<Record<string, Uint8Array>>;

const choose = (choice: Partial<NpzChoice>): NpzChoice => ({
  split: 'eval',
  needed: ['x'],
  withTruth: true,
  ...choice,
});

async function open(arrays: Arrays, choice: Partial<NpzChoice> = {}): Promise<ItemCollection> {
  return openAt(fileOf('data.npz', npz(arrays)), choose(choice));
}

async function openAt(path: string, choice: NpzChoice): Promise<ItemCollection> {
  const collection = unwrap(await openNpzCollection(path, choice));
  onTestFinished(() => collection.close());
  return collection;
}

/** What is wrong, with the file whose name a test cannot know. */
async function faultOf(arrays: Arrays, choice: Partial<NpzChoice> = {}) {
  const path = fileOf('data.npz', npz(arrays));
  const opened = await openNpzCollection(path, choose(choice));
  if (opened.ok) throw new Error('the file was opened');
  expect(opened.error.place?.file).toBe(path);
  return opened.error;
}

describe('the items of a split', () => {
  it('hold a row of every array that is needed, and leave the others', async () => {
    const collection = await open(
      {
        'eval/x': ROWS,
        'eval/y': int64Npy([3], [7, 8, 9]),
        'eval/z': float32Npy([1], [0]),
        'calib/x': ROWS,
      },
      { needed: ['x', 'y'] },
    );
    expect(collection).toMatchObject({ count: 3, unused: ['z'], namesInputs: true });
    expect(collection.fields).toContainEqual({
      kind: 'tensor',
      name: 'x',
      type: 'float32',
      dims: [2],
      place: 'eval/x',
    });
    expect(unwrap(await collection.read(1))).toEqual({
      fields: {
        x: { kind: 'tensor', tensor: { type: 'float32', dims: [2], data: Float32Array.of(3, 4) } },
        y: { kind: 'tensor', tensor: { type: 'int64', dims: [], data: BigInt64Array.of(8n) } },
      },
    });
  });

  it('are named by split and row', async () => {
    const collection = await open({ 'eval/x': ROWS });
    expect(collection.describe(2)).toEqual({ id: 'eval/2' });
  });

  it('are told apart by what the model is fed, and by nothing else', async () => {
    const collection = await open(
      {
        'eval/x': float32Npy([4, 1], [1, 2, 1, 1]),
        'eval/y': int64Npy([4], [5, 5, 5, 6]),
        'eval/other': int64Npy([4], [1, 2, 3, 4]),
        labels: int64Npy([4], [0, 1, 2, 3]),
      },
      { needed: ['x', 'y'] },
    );
    const keys = await Promise.all(
      [0, 1, 2, 3].map(async (index) => unwrap(await collection.contentKey(index))),
    );
    expect(keys[2]).toBe(keys[0]);
    expect(new Set(keys).size).toBe(3);
  });

  it('hold all that can be read where nobody says what is needed', async () => {
    const path = fileOf(
      'data.npz',
      npz({ 'eval/x': ROWS, 'eval/o': PICKLED, 'eval/labels': int64Npy([3], [1, 2, 0]) }),
    );
    const collection = await openAt(path, { split: 'eval', withTruth: true });
    expect(collection.unused).toEqual(['o']);
    const { fields, truth } = unwrap(await collection.read(0));
    expect(Object.keys(fields)).toEqual(['x']);
    expect(truth).toEqual({ kind: 'class', index: 1 });
  });
});

describe('arrays with a meaning of their own', () => {
  const special = {
    'eval/labels': int64Npy([3], [2, 0, 1]),
    'eval/sequence': int64Npy([3], [8, 8, 9]),
    'eval/group': npy('|u1', [3], Uint8Array.of(1, 2, 2)),
  };

  it('are labels, sequence and group', async () => {
    const collection = await open({ 'eval/x': ROWS, ...special });
    expect(collection.fields.map(({ name }) => name)).toEqual(['x']);
    expect(collection.unused).toEqual([]);
    expect(collection.describe(1)).toEqual({ id: 'eval/1', sequence: '8', group: '2' });
    expect(unwrap(await collection.read(1)).truth).toEqual({ kind: 'class', index: 0 });
  });

  it('are inputs where the model needs them', async () => {
    const collection = await open({ 'eval/x': ROWS, ...special }, { needed: ['x', 'group'] });
    expect(unwrap(await collection.read(2)).fields['group']).toMatchObject({
      tensor: { data: Uint8Array.of(2) },
    });
    expect(collection.describe(2)).not.toHaveProperty('group');
  });

  it('need not be right where labels are not wanted', async () => {
    const wrong = { 'eval/x': ROWS, labels: int64Npy([2], [1, 2]) };
    expect(await faultOf(wrong)).toMatchObject({ kind: 'labels-invalid' });
    const collection = await open(wrong, { withTruth: false });
    expect(unwrap(await collection.read(0)).truth).toBeUndefined();
  });

  it('are labels of the whole file for the split eval alone', async () => {
    const arrays = { 'eval/x': ROWS, 'calib/x': ROWS, labels: int64Npy([3], [4, 5, 6]) };
    expect(unwrap(await (await open(arrays)).read(0)).truth).toEqual({ kind: 'class', index: 4 });
    expect(unwrap(await (await open(arrays, { split: 'calib' })).read(0)).truth).toBeUndefined();
  });

  it('give truths that are read when they are asked for, or say why not', async () => {
    const marks = int64Npy([3, 2], [0, 1, 1, 1, 3, 5]);
    const collection = await open({ 'eval/x': ROWS, labels: marks }, { labels: { kind: 'classes' } });
    expect(unwrap(await collection.read(1)).truth).toEqual({ kind: 'classes', indices: [0, 1] });
    expect(await collection.read(2)).toMatchObject({ ok: false, error: { kind: 'labels-invalid' } });
  });
});

describe('arrays with names of their own', () => {
  const arrays = { x: 'x_test', labels: 'y_test', sequence: 'scene', group: 'writer' };
  const file = {
    x_test: ROWS,
    y_test: int64Npy([3], [2, 0, 1]),
    scene: int64Npy([3], [1, 1, 2]),
    writer: int64Npy([3], [5, 6, 6]),
    'eval/x': float32Npy([1, 2], [0, 0]),
    labels: int64Npy([1], [0]),
  };

  it('feed what they are mapped to, and nothing else counts', async () => {
    const collection = await open(file, { arrays });
    expect(collection).toMatchObject({ count: 3, unused: [] });
    expect(collection.fields).toEqual([
      { kind: 'tensor', name: 'x', type: 'float32', dims: [2], place: 'x_test' },
    ]);
    expect(collection.describe(2)).toEqual({ id: 'eval/2', sequence: '2', group: '6' });
    expect(unwrap(await collection.read(2)).truth).toEqual({ kind: 'class', index: 1 });
  });

  it('have no labels where none are mapped', async () => {
    const collection = await open(file, { arrays: { x: 'x_test' } });
    expect(unwrap(await collection.read(0)).truth).toBeUndefined();
  });

  it.each(['x', 'labels', 'sequence', 'group'])('must be there: %s', async (name) => {
    expect(await faultOf(file, { arrays: { ...arrays, [name]: 'none' }, withTruth: false })).toMatchObject({
      kind: 'array-missing',
      message: expect.stringContaining(
        `no array 'none', which is named for '${name}'; it has 'x_test', 'y_test'`,
      ),
      place: { tensor: 'none' },
    });
  });
});

describe('a file that does not hold the split', () => {
  it('names the splits that it has', async () => {
    expect(await faultOf({ 'test/x': ROWS, 'train/x': ROWS })).toMatchObject({
      kind: 'split-missing',
      message: expect.stringContaining("the splits are 'test', 'train'"),
      hint: expect.stringContaining('--split'),
    });
  });

  it('names its arrays where none is in a split', async () => {
    expect(await faultOf({ x: ROWS }, { split: 'all' })).toMatchObject({
      kind: 'split-missing',
      message: expect.stringContaining("its arrays are 'x'"),
      hint: expect.stringContaining('map them under data.arrays.all'),
    });
  });

  it('is said to be none where it is no .npz', async () => {
    const path = fileOf('data.npz', 'no zip');
    expect(await openNpzCollection(path, choose({}))).toMatchObject({
      ok: false,
      error: { place: { file: path } },
    });
  });
});

describe('arrays that are needed', () => {
  it('have the same number of rows', async () => {
    const arrays = {
      'eval/x': ROWS,
      'eval/y': float32Npy([2], [1, 2]),
      'eval/z': float32Npy([9], Array(9).fill(0)),
    };
    expect(await faultOf(arrays, { needed: ['x', 'y'] })).toMatchObject({
      kind: 'sample-count-mismatch',
      message: expect.stringContaining("'eval/x' has 3, 'eval/y' has 2"),
    });
  });

  it('have at least one row', async () => {
    expect(await faultOf({ 'eval/x': float32Npy([0, 2], []) })).toMatchObject({ kind: 'no-samples' });
  });

  it('have an axis that counts the items, as the field says that feeds nothing', async () => {
    const scalar = npy('<f4', [], bytesOf(Float32Array.of(5)), {
      header: "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
    });
    const alone = await open({ 'eval/x': scalar });
    expect(alone.fields).toMatchObject([
      { kind: 'unreadable', name: 'x', problem: { kind: 'shape-mismatch', place: { tensor: 'eval/x' } } },
    ]);
    const beside = await open({ 'eval/x': scalar, 'eval/y': ROWS }, { needed: ['x', 'y'] });
    expect(beside).toMatchObject({ count: 3, fields: [{ kind: 'unreadable' }, { kind: 'tensor' }] });
  });

  it('are missed by the binding, and not by labels that then belong to nothing', async () => {
    const collection = await open({ 'eval/y': ROWS, 'eval/labels': int64Npy([3], [1, 2, 3]) });
    expect(collection).toMatchObject({ count: 0, fields: [{ name: 'y' }], unused: ['y'] });
  });

  it('say why they cannot be read', async () => {
    const collection = await open({ 'eval/x': PICKLED });
    expect(collection.fields).toMatchObject([{ kind: 'unreadable', problem: { kind: 'npy-unsupported' } }]);
  });
});
