import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DataSpec } from '../../../src/core/data-spec.ts';
import { type Problem, ProblemError } from '../../../src/core/problem.ts';
import { type OpenSamplesOptions, openSamples } from '../../../src/data/open-samples.ts';
import type { ModelInput, SampleSource } from '../../../src/data/sample-source.ts';
import { unwrap } from '../../support/unwrap.ts';
import { shorts, wav } from './audio/wav-writer.ts';
import { fileOf, folderOf } from './formats/folder-of-files.ts';
import { writePng } from './image/png-writer.ts';
import { int64Npy, npy, npz } from './npz-writer.ts';

const PICTURE: ModelInput = { name: 'x', type: 'float32', dims: ['n', 3, 'h', 'w'] };
const SOUND: ModelInput = { name: 'x', type: 'float32', dims: ['n', 'time'] };
const VECTOR: ModelInput = { name: 'x', type: 'float32', dims: ['n', 2] };

const noise = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 7919) % 251);
const JPEG = await sharp(noise(32 * 32 * 3), { raw: { width: 32, height: 32, channels: 3 } })
  .jpeg()
  .toBuffer();
const png = (width: number) => writePng({ width, height: 1, lines: new Uint8Array(width + 1) });
const sound = (...values: number[]) => wav({ data: shorts(values) });

/** Data in which one sample of four is bad, and what must be said of it. */
interface Hostile {
  readonly input: ModelInput;
  readonly write: () => string;
  readonly spec?: () => Partial<DataSpec>;
  readonly bad: number;
  readonly id: string;
  readonly kind: string;
  /** Of the bad sample, below the folder; the data itself where it is absent. */
  readonly file?: string;
  readonly message?: string;
}

const HOSTILE: Readonly<Record<string, Hostile>> = {
  'a JPEG that breaks off': {
    input: PICTURE,
    write: () =>
      folderOf({ 'a.jpg': JPEG, 'b.jpg': JPEG, 'c.jpg': JPEG.subarray(0, JPEG.length >> 1), 'd.jpg': JPEG }),
    bad: 2,
    id: 'c.jpg',
    kind: 'image-unreadable',
    file: 'c.jpg',
  },
  'a picture that is empty': {
    input: PICTURE,
    write: () => folderOf({ 'a.png': png(1), 'b.png': '', 'c.png': png(1), 'd.png': png(1) }),
    bad: 1,
    id: 'b.png',
    kind: 'image-unreadable',
    file: 'b.png',
  },
  'a picture of another size': {
    input: { ...PICTURE, dims: ['n', 3, 1, 2] },
    write: () => folderOf({ 'a.png': png(2), 'b.png': png(2), 'c.png': png(2), 'd.png': png(3) }),
    bad: 3,
    id: 'd.png',
    kind: 'shape-mismatch',
    file: 'd.png',
    message: '[3,1,3]',
  },
  'a recording that breaks off': {
    input: SOUND,
    write: () =>
      folderOf({
        'a.wav': sound(1, 2),
        'b.wav': sound(1, 2).subarray(0, 46),
        'c.wav': sound(3, 4),
        'd.wav': sound(5, 6),
      }),
    bad: 1,
    id: 'b.wav',
    kind: 'wav-invalid',
    file: 'b.wav',
  },
  'a recording of another length': {
    input: { ...SOUND, dims: ['n', 2] },
    write: () =>
      folderOf({ 'a.wav': sound(1, 2), 'b.wav': sound(1), 'c.wav': sound(3, 4), 'd.wav': sound(5, 6) }),
    bad: 1,
    id: 'b.wav',
    kind: 'shape-mismatch',
    message: "item 'b.wav': the data is [1] for each item",
  },
  'a line of another shape': {
    input: VECTOR,
    write: () => fileOf('x.jsonl', '{"x":[1,2]}\n{"x":[1,2]}\n{"x":[1,2,3]}\n{"x":[1,2]}\n'),
    bad: 2,
    id: 'line 3',
    kind: 'shape-mismatch',
    message: "item 'line 3': the data is [3]",
  },
  'a row that the type cannot hold': {
    input: VECTOR,
    write: () => {
      const rows = Float64Array.of(1, 2, 3, 1e300, 5, 6, 7, 8);
      return fileOf('x.npz', npz({ 'all/x': npy('<f8', [4, 2], new Uint8Array(rows.buffer)) }));
    },
    bad: 1,
    id: 'all/1',
    kind: 'value-unrepresentable',
    message: "item 'all/1': element 1 is 1e+300",
  },
  'a label that is no class': {
    input: VECTOR,
    write: () => {
      const labels = int64Npy([4, 2], [0, 1, 1, 1, 0, 7, 0, 0]);
      return fileOf(
        'x.npz',
        npz({ 'all/x': int64Npy([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), 'all/labels': labels }),
      );
    },
    spec: () => ({ labels: { kind: 'classes' } }),
    bad: 2,
    id: 'all/2',
    kind: 'labels-invalid',
    message: 'marked by 7',
  },
  'an item that a module refuses': {
    input: VECTOR,
    write: () => fileOf('x.jsonl', '{"x":[1,2]}\n{"x":[1,2]}\n{"x":[1,2]}\n{"x":[9,2]}\n'),
    spec: () => ({
      module: fileOf(
        'mine.mjs',
        `export function preprocess({ id, fields: { x } }) {
          if (x.data[0] === 9n) throw new Error('nine in ' + id);
          return { x };
        }`,
      ),
    }),
    bad: 3,
    id: 'line 4',
    kind: 'preprocess-module-failed',
    message: 'nine in line 4',
  },
};

async function open(spec: DataSpec, options: Partial<OpenSamplesOptions> = {}): Promise<SampleSource> {
  const source = unwrap(
    await openSamples(spec, { split: 'all', modelInputs: [VECTOR], withTruth: true, ...options }),
  );
  onTestFinished(() => source.close());
  return source;
}

async function openHostile(hostile: Hostile, onBadSample?: 'fail' | 'skip') {
  const path = hostile.write();
  const policy = onBadSample === undefined ? {} : { onBadSample };
  const source = await open({ path, ...hostile.spec?.(), ...policy }, { modelInputs: [hostile.input] });
  const { bad, kind, file, message = '' } = hostile;
  const problem = {
    kind,
    message: expect.stringContaining(message),
    place: expect.objectContaining({ file: file === undefined ? path : join(path, file), sample: bad }),
    hint: expect.stringMatching(/./),
  };
  return { source, problem };
}

const good = (bad: number) => [0, 1, 2, 3].filter((index) => index !== bad);

async function indicesOf(
  source: SampleSource,
  range?: { readonly start: number },
): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const { index } of source.samples(range)) found.push(index);
  return found;
}

const cases = Object.entries(HOSTILE);

describe('one bad sample', () => {
  it.each(cases)('ends everything where it is its turn, with file and index: %s', async (_case, hostile) => {
    for (const policy of [undefined, 'fail'] as const) {
      const { source, problem } = await openHostile(hostile, policy);
      const found: number[] = [];
      const all = async () => {
        for await (const { index } of source.samples()) found.push(index);
      };
      const error = await all().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ProblemError);
      expect((error as ProblemError).problem).toMatchObject(problem);
      expect(found).toEqual([0, 1, 2, 3].slice(0, hostile.bad));
      expect(source).toMatchObject({ skipsBadSamples: false });
      expect(source.skipped()).toEqual([]);
    }
  });

  it.each(cases)('is left out and listed where that is allowed: %s', async (_case, hostile) => {
    const { source, problem } = await openHostile(hostile, 'skip');
    expect(source.skipsBadSamples).toBe(true);
    expect(await indicesOf(source)).toEqual(good(hostile.bad));
    const skipped = source.skipped();
    expect(skipped).toHaveLength(1);
    expect(skipped[0]).toMatchObject({ index: hostile.bad, id: hostile.id, problem });
  });

  it.each(cases)('is a result like the others, and can be asked for again: %s', async (_case, hostile) => {
    const { source, problem } = await openHostile(hostile, 'skip');
    const found: unknown[] = [];
    for await (const result of source.results()) found.push(result.ok ? result.value.index : result.error);
    expect(found).toHaveLength(4);
    expect(found[hostile.bad]).toMatchObject(problem);
    expect(found.filter((result) => typeof result === 'number')).toEqual(good(hostile.bad));
    expect(await source.read(hostile.bad)).toMatchObject({ ok: false, error: problem });
    expect(source.skipped()).toEqual([]);
  });
});

describe('samples that are left out', () => {
  const write = () =>
    folderOf({ 'a.png': '', 'b.png': png(1), 'c.png': '?', 'd.png': png(2), 'e.png': '??' });
  const openSkipping = (more: Partial<DataSpec> = {}, options: Partial<OpenSamplesOptions> = {}) =>
    open({ path: write(), onBadSample: 'skip', ...more }, { modelInputs: [PICTURE], ...options });
  const namesOf = (source: SampleSource) => source.skipped().map(({ index, id }) => `${index} ${id}`);

  it('are counted once, however often they are read, and listed in order', async () => {
    const source = await openSkipping();
    expect(await indicesOf(source, { start: 3 })).toEqual([3]);
    expect(namesOf(source)).toEqual(['4 e.png']);
    expect(await indicesOf(source)).toEqual([1, 3]);
    expect(await indicesOf(source)).toEqual([1, 3]);
    expect(namesOf(source)).toEqual(['0 a.png', '2 c.png', '4 e.png']);
  });

  it('count towards the limit, and are named by their place in the split', async () => {
    const splits = { seed: 5, sizes: { most: 4 } };
    const source = await openSkipping({ splits }, { split: 'most', limit: 3 });
    expect(source.count).toBe(3);
    const kept: number[] = [];
    for await (const { index, id } of source.samples()) {
      expect(['b.png', 'd.png']).toContain(id);
      kept.push(index);
    }
    const skipped = source.skipped();
    expect([...kept, ...skipped.map(({ index }) => index)].sort()).toEqual([0, 1, 2]);
    for (const { id, problem } of skipped) expect(problem.place?.file).toMatch(new RegExp(`${id}$`));
  });

  it('may be all of them', async () => {
    const source = await open(
      { path: folderOf({ 'a.png': '' }), onBadSample: 'skip' },
      { modelInputs: [PICTURE] },
    );
    expect(await indicesOf(source)).toEqual([]);
    expect(namesOf(source)).toEqual(['0 a.png']);
  });
});

describe('data that no sample can be made of', () => {
  async function faultOf(
    spec: DataSpec,
    options: Partial<OpenSamplesOptions> = {},
  ): Promise<Problem | undefined> {
    const opened = await openSamples(
      { onBadSample: 'skip', ...spec },
      { split: 'all', modelInputs: [VECTOR], withTruth: true, ...options },
    );
    if (opened.ok) onTestFinished(() => opened.value.close());
    return opened.ok ? undefined : opened.error;
  }

  it('is refused at opening, though bad samples may be left out', async () => {
    const empty = folderOf({});
    expect(await faultOf({ path: empty, format: 'images' })).toMatchObject({
      kind: 'no-samples',
      place: { file: empty },
    });
    expect(await faultOf({ path: empty })).toMatchObject({ kind: 'format-unknown', place: { file: empty } });
  });

  it('has labels that are wrong', async () => {
    const path = fileOf(
      'x.npz',
      npz({ 'all/x': int64Npy([2, 2], [1, 2, 3, 4]), 'all/labels': int64Npy([2], [0, -1]) }),
    );
    expect(await faultOf({ path })).toMatchObject({
      kind: 'labels-invalid',
      place: { file: path, sample: 1 },
    });
    const jsonl = fileOf('x.jsonl', '{"x":[1,2],"label":0}\n{"x":[1,2],"label":3}\n');
    expect(await faultOf({ path: jsonl, labels: { classes: ['a', 'b'] } })).toMatchObject({
      kind: 'labels-invalid',
      place: { file: jsonl, line: 2 },
    });
  });

  it('holds arrays that are no pictures', async () => {
    const path = fileOf('x.npz', npz({ 'all/x': int64Npy([2, 2], [1, 2, 3, 4]) }));
    expect(await faultOf({ path, preprocess: { image: {} } }, { modelInputs: [PICTURE] })).toMatchObject({
      kind: 'preprocess-invalid',
      place: { file: path, tensor: 'x' },
    });
  });
});
