import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DataFormat, DataSpec } from '../../../src/core/data-spec.ts';
import { type OpenCollectionOptions, openCollection } from '../../../src/data/open-collection.ts';
import type { ModelInput } from '../../../src/data/sample-source.ts';
import { unwrap } from '../../support/unwrap.ts';
import { shorts, wav } from './audio/wav-writer.ts';
import { fileOf, folderOf } from './formats/folder-of-files.ts';
import { writePng } from './image/png-writer.ts';
import { float32Npy, int64Npy, npz } from './npz-writer.ts';

const X: ModelInput = { name: 'x', type: 'float32', dims: ['n', 2] };
const OPTIONS: OpenCollectionOptions = { split: 'all', modelInputs: [X] };
const ROWS = float32Npy([2, 2], [1, 2, 3, 4]);
const PNG = writePng({ width: 1, height: 1, lines: Uint8Array.of(0, 7) });
const IDX = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6);
const SPLITS = { seed: 1, sizes: { calib: 0.5, eval: 0.5 } };

async function open(spec: DataSpec, options: Partial<OpenCollectionOptions> = {}) {
  const opened = await openCollection(spec, { ...OPTIONS, ...options });
  if (opened.ok) onTestFinished(() => opened.value.close());
  return opened;
}

async function faultOf(spec: DataSpec, options: Partial<OpenCollectionOptions> = {}): Promise<unknown> {
  const opened = await open(spec, options);
  return opened.ok ? undefined : opened.error;
}

/** Data of each format, by path. */
const DATA: Readonly<Record<Exclude<DataFormat, 'random'>, () => string>> = {
  npz: () => fileOf('x.npz', npz({ 'all/x': ROWS })),
  npy: () => fileOf('x.npy', ROWS),
  images: () => folderOf({ 'a.png': PNG }),
  wav: () => folderOf({ 'a.wav': wav({ data: shorts([1, 2]) }) }),
  idx: () => fileOf('x-idx2-ubyte', IDX),
  jsonl: () => fileOf('x.jsonl', '{"x": [1, 2]}\n'),
  'perf-analyzer': () => fileOf('x.json', '{"data": [{"x": [1, 2]}]}'),
  'test-data-set': () => folderOf({ 'test_data_set_0/input_0.npy': float32Npy([1, 2], [1, 2]) }),
};
const formats = Object.entries(DATA) as [keyof typeof DATA, () => string][];
const withoutSplits = formats.filter(([format]) => format !== 'npz');

describe('openCollection', () => {
  it.each(formats)('opens %s by what the path tells, and by its name', async (format, write) => {
    const fields = { npy: 'array', images: 'image', wav: 'audio', idx: 'image', 'test-data-set': 'input_0' };
    const name = { npz: 'x', jsonl: 'x', 'perf-analyzer': 'x', ...fields }[format];
    const path = write();
    for (const spec of [{ path }, { path, format }]) {
      const collection = unwrap(await open(spec));
      expect(collection.fields.map((field) => field.name)).toContain(name);
      expect(collection.count).toBeGreaterThan(0);
    }
  });

  it('makes up random data for any split', async () => {
    const collection = unwrap(await open({ path: '', format: 'random' }, { split: 'eval' }));
    expect(collection).toMatchObject({ path: 'random', fields: [{ name: 'x', dims: [2] }] });
  });

  it('believes the format that is named', async () => {
    const path = fileOf('x.jsonl', npz({ 'all/x': ROWS }));
    expect(await faultOf({ path, format: 'npz' })).toBeUndefined();
    expect(await faultOf({ path })).toMatchObject({ kind: 'item-invalid' });
  });

  it('passes on that no format can be told, and that there are no items', async () => {
    expect(await faultOf({ path: folderOf({}) })).toMatchObject({ kind: 'format-unknown' });
    expect(await faultOf({ path: folderOf({}), format: 'images' })).toMatchObject({ kind: 'no-samples' });
    expect(await faultOf({ path: folderOf({}), format: 'wav' })).toMatchObject({ kind: 'no-samples' });
    expect(await faultOf({ path: '/nowhere.npz' })).toMatchObject({ kind: 'npz-unreadable' });
  });
});

describe('a split', () => {
  it.each(withoutSplits)('of %s is refused where the data is not split', async (_format, write) => {
    const path = write();
    expect(await faultOf({ path }, { split: 'eval' })).toMatchObject({
      kind: 'split-missing',
      place: { file: path },
      hint: "split it by content (data.splits), or take 'all'",
    });
    expect(await faultOf({ path, splits: SPLITS }, { split: 'eval' })).toBeUndefined();
  });

  it('of an .npz is its own, unless the data is split by content, which is all of it', async () => {
    const path = fileOf('x.npz', npz({ 'eval/x': ROWS, 'all/x': float32Npy([3, 2], [1, 2, 3, 4, 5, 6]) }));
    expect(unwrap(await open({ path }, { split: 'eval' })).count).toBe(2);
    expect(unwrap(await open({ path, splits: SPLITS }, { split: 'eval' })).count).toBe(3);
  });
});

describe('the arrays of an .npz', () => {
  const arrays = { all: { x: 'images' }, eval: { x: 'others' } };
  const write = () =>
    fileOf('x.npz', npz({ images: float32Npy([3, 2], [1, 2, 3, 4, 5, 6]), others: ROWS, 'train/x': ROWS }));

  it('are those of the split, and those for all where the data is split by content', async () => {
    const path = write();
    expect(unwrap(await open({ path, arrays }, { split: 'eval' })).count).toBe(2);
    expect(unwrap(await open({ path, arrays, splits: SPLITS }, { split: 'eval' })).count).toBe(3);
  });

  it('are found by name where the split has no mapping', async () => {
    const path = write();
    expect(unwrap(await open({ path, arrays }, { split: 'train' })).count).toBe(2);
    expect(await faultOf({ path, arrays }, { split: 'toString' })).toMatchObject({ kind: 'split-missing' });
  });

  it('are to be mapped for all where the data is split by content', async () => {
    const path = write();
    expect(
      await faultOf({ path, arrays: { eval: { x: 'others' } }, splits: SPLITS }, { split: 'eval' }),
    ).toMatchObject({
      kind: 'split-missing',
      hint: expect.stringContaining('data.arrays.all'),
    });
  });

  it('are all read where a module of the user takes what it likes', async () => {
    const path = fileOf('x.npz', npz({ 'all/pixels': ROWS, 'all/sizes': int64Npy([2], [3, 4]) }));
    const collection = unwrap(await open({ path, module: '/mine.mjs' }));
    expect(Object.keys(unwrap(await collection.read(1)).fields)).toEqual(['pixels', 'sizes']);
  });
});

describe('labels', () => {
  it('of an .npz are read only where they are wanted', async () => {
    const path = fileOf('x.npz', npz({ 'all/x': ROWS, 'all/labels': int64Npy([2], [1, -1]) }));
    expect(await faultOf({ path })).toBeUndefined();
    expect(await faultOf({ path }, { withTruth: true })).toMatchObject({ kind: 'labels-invalid' });
  });

  it('that are masks are decoded only where they are wanted', async () => {
    const path = folderOf({ 'a.png': PNG, 'masks/a.png': 'no picture' });
    const spec: DataSpec = { path, labels: { kind: 'mask', masks: join(path, 'masks') } };
    const collection = unwrap(await open(spec));
    expect(await collection.read(0)).toMatchObject({ ok: true });
    expect(await unwrap(await open(spec, { withTruth: true })).read(0)).toMatchObject({ ok: false });
  });

  it('of an .npy are another one, which matters only where they are wanted', async () => {
    const path = fileOf('x.npy', ROWS);
    const spec: DataSpec = { path, labels: { file: fileOf('y.npy', int64Npy([1], [3])) } };
    expect(await faultOf(spec)).toBeUndefined();
    expect(await faultOf(spec, { withTruth: true })).toMatchObject({ kind: 'labels-invalid' });
  });
});

describe('a setting that means nothing to the format', () => {
  it.each(withoutSplits)('is refused: `arrays` for %s', async (format, write) => {
    const path = write();
    expect(await faultOf({ path, arrays: { all: { x: 'y' } } })).toMatchObject({
      kind: 'data-invalid',
      message: expect.stringContaining(`of the format '${format}'`),
      place: { file: path },
    });
  });

  it.each(formats.filter(([format]) => format !== 'wav'))(
    'is refused: a length of recordings for %s',
    async (format, write) => {
      const audio = { length: 3 };
      for (const spec of [{ preprocess: { audio } }, { inputs: { x: { audio } } }]) {
        expect(await faultOf({ path: write(), ...spec })).toMatchObject({
          kind: 'data-invalid',
          message: expect.stringContaining(`of the format '${format}'`),
        });
      }
    },
  );

  it.each([
    ['test-data-set', 'the outputs of the sets'],
    ['perf-analyzer', 'the outputs in `validation_data`'],
  ] as const)('is refused: labels for %s, which has outputs', async (format, own) => {
    const path = DATA[format]();
    expect(await faultOf({ path, labels: {} })).toMatchObject({
      kind: 'data-invalid',
      message: `\`labels\` have no effect here: they are ${own}`,
      place: { file: path },
    });
  });
});
