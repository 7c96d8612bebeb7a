import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Problem, ProblemError } from '../../../src/core/problem.ts';
import { type OpenSamplesOptions, openSamples } from '../../../src/data/open-samples.ts';
import type { ModelInput, SampleSource } from '../../../src/data/sample-source.ts';
import { bytesOf, float32Npy, int64Npy, npy, npz, useTemporaryFiles } from './npz-writer.ts';

const write = await useTemporaryFiles();

type Arrays = Readonly<Record<string, Uint8Array>>;

const IMAGE: ModelInput = { name: 'x', type: 'float32', dims: ['batch', 2] };
const THREE_IMAGES = float32Npy([3, 2], [1, 2, 3, 4, 5, 6]);

async function open(arrays: Arrays, options: Partial<OpenSamplesOptions> = {}) {
  return openSamples({ path: await write(npz(arrays)) }, { split: 'eval', modelInputs: [IMAGE], ...options });
}

async function source(arrays: Arrays, options?: Partial<OpenSamplesOptions>): Promise<SampleSource> {
  const opened = await open(arrays, options);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

/** The class of every sample. */
async function classes(samples: SampleSource): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for await (const { truth } of samples.samples())
    found.push(truth?.kind === 'class' ? truth.index : undefined);
  return found;
}

async function openingProblem(
  arrays: Arrays,
  options?: Partial<OpenSamplesOptions>,
): Promise<Problem | undefined> {
  const opened = await open(arrays, options);
  if (opened.ok) await opened.value.close();
  return opened.ok ? undefined : opened.error;
}

async function fedDims(shape: readonly number[], dims: ModelInput['dims']): Promise<unknown> {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0);
  const modelInput = dims === undefined ? { name: 'x', type: 'float32' as const } : { ...IMAGE, dims };
  const opened = await open({ 'eval/x': float32Npy(shape, values) }, { modelInputs: [modelInput] });
  if (opened.ok) await opened.value.close();
  return opened.ok ? opened.value.inputs[0]?.dims : opened.error.kind;
}

describe('openSamples', () => {
  it('feeds the samples of a split in order', async () => {
    const samples = await source({ 'eval/x': THREE_IMAGES, 'calib/x': float32Npy([1, 2], [9, 9]) });
    const seen: unknown[] = [];
    for await (const { index, feeds } of samples.samples()) seen.push([index, feeds['x']]);
    expect(seen).toEqual([
      [0, { type: 'float32', dims: [1, 2], data: new Float32Array([1, 2]) }],
      [1, { type: 'float32', dims: [1, 2], data: new Float32Array([3, 4]) }],
      [2, { type: 'float32', dims: [1, 2], data: new Float32Array([5, 6]) }],
    ]);
    await samples.close();
  });

  it('reads a range, and a single sample at any position', async () => {
    const samples = await source({ 'eval/x': THREE_IMAGES });
    const indices: number[] = [];
    for await (const { index } of samples.samples({ start: 1, end: 99 })) indices.push(index);
    expect(indices).toEqual([1, 2]);
    expect(await samples.read(2)).toMatchObject({
      value: { feeds: { x: { data: new Float32Array([5, 6]) } } },
    });
    await expect(samples.read(3)).rejects.toThrow(RangeError);
    await samples.close();
  });

  it('stops at the limit, labels included', async () => {
    const samples = await source(
      { 'eval/x': THREE_IMAGES, labels: int64Npy([3], [7, 8, 9]) },
      { limit: 2, withTruth: true },
    );
    expect(samples.count).toBe(2);
    expect(await classes(samples)).toEqual([7, 8]);
    await samples.close();
  });

  it('keeps to the samples that are named, with their labels, and to the limit among them', async () => {
    const data = { 'eval/x': THREE_IMAGES, labels: int64Npy([3], [7, 8, 9]) };
    const some = await source(data, { only: [0, 2], withTruth: true });
    expect(some.count).toBe(2);
    expect(await classes(some)).toEqual([7, 9]);
    expect(await some.read(1)).toMatchObject({
      value: { index: 1, feeds: { x: { data: new Float32Array([5, 6]) } } },
    });
    await some.close();
    const fewer = await source(data, { only: [1, 2], limit: 1, withTruth: true });
    expect(await classes(fewer)).toEqual([8]);
    await fewer.close();
    expect(await open(data, { only: [3] })).toMatchObject({ error: { kind: 'no-samples' } });
  });

  it.each([0, -1, 1.5, Number.NaN])('treats the limit %f as a bug of the caller', async (limit) => {
    await expect(open({ 'eval/x': THREE_IMAGES }, { limit })).rejects.toThrow(RangeError);
  });

  it('feeds several inputs of different types', async () => {
    const ids: ModelInput = { name: 'ids', type: 'int64', dims: [1, 2] };
    const samples = await source(
      { 'eval/x': THREE_IMAGES, 'eval/ids': npy('<i4', [3, 2], bytesOf(new Int32Array([1, 2, 3, 4, 5, 6]))) },
      { modelInputs: [IMAGE, ids] },
    );
    expect(await samples.read(1)).toMatchObject({
      value: { feeds: { x: { data: new Float32Array([3, 4]) }, ids: { data: new BigInt64Array([3n, 4n]) } } },
    });
    await samples.close();
  });

  it('names the arrays that nobody asked for', async () => {
    const samples = await source({
      'eval/x': THREE_IMAGES,
      'eval/extra': THREE_IMAGES,
      labels: THREE_IMAGES,
    });
    expect(samples.unused).toEqual(['extra']);
    await samples.close();
  });

  it('swaps the bytes of big-endian data', async () => {
    const bytes = Buffer.from(bytesOf(new Float32Array([1.5, -2]))).swap32();
    const samples = await source({ 'eval/x': npy('>f4', [1, 2], bytes) });
    expect(await samples.read(0)).toMatchObject({
      value: { feeds: { x: { data: new Float32Array([1.5, -2]) } } },
    });
    await samples.close();
  });

  it('passes on that the file is missing', async () => {
    const opened = await openSamples({ path: '/nowhere.npz' }, { split: 'eval', modelInputs: [IMAGE] });
    expect(opened).toMatchObject({ ok: false, error: { kind: 'npz-unreadable' } });
  });

  it('reads what NumPy wrote, compressed', async () => {
    const path = fileURLToPath(new URL('../../fixtures/npz/deflated.npz', import.meta.url));
    const opened = await openSamples(
      { path },
      {
        split: 'eval',
        withTruth: true,
        modelInputs: [{ name: 'image', type: 'float32', dims: [1, 3, 'height', 'width'] }],
      },
    );
    if (!opened.ok) throw new Error(opened.error.message);
    expect(opened.value.inputs).toEqual([{ name: 'image', type: 'float32', dims: [1, 3, 4, 4] }]);
    expect(await classes(opened.value)).toEqual([3, 1, 4, 1]);
    await opened.value.close();
  });
});

describe('the dimensions fed', () => {
  it.each<[string, number[], ModelInput['dims'], unknown]>([
    ['gain a leading 1 where the ranks are equal', [3, 2], ['n', 2], [1, 2]],
    ['gain a leading 1 for a fixed batch of 1', [3, 2], [1, 2], [1, 2]],
    ['lose axis 0 where the rank of the model is one less', [3, 4, 5], [4, 5], [4, 5]],
    ['are a scalar where the model takes one', [3], [], []],
    ['gain a leading 1 where the rank is not known', [3, 4, 5], undefined, [1, 4, 5]],
    ['gain a leading 1 where the runtime reports an unknown rank as none', [3, 4, 5], [], [1, 4, 5]],
    ['may be anything in a free dimension', [3, 7], [-1, ''], [1, 7]],
    ['are refused where a fixed dimension differs', [3, 7], ['n', 2], 'shape-mismatch'],
    ['are refused where the model fixes a larger batch', [8, 2], [8, 2], 'shape-mismatch'],
    ['are refused where the rank differs by more', [3, 2, 2, 2], ['n', 2], 'shape-mismatch'],
    ['are refused where the array has too few axes', [3], [1, 2, 2], 'shape-mismatch'],
  ])('%s', async (_case, shape, dims, expected) => {
    expect(await fedDims(shape, dims)).toEqual(expected);
  });

  it('come with a hint that names the batch which the model fixes', async () => {
    const problem = await openingProblem(
      { 'eval/x': THREE_IMAGES },
      { modelInputs: [{ ...IMAGE, dims: [4, 2] }] },
    );
    expect(problem).toMatchObject({ hint: expect.stringContaining('4 samples at a time') });
  });
});

describe('a data set that does not fit the model', () => {
  it('lists the splits that there are', async () => {
    expect(await openingProblem({ 'train/x': THREE_IMAGES, 'test/x': THREE_IMAGES })).toMatchObject({
      kind: 'split-missing',
      message: expect.stringContaining("'train', 'test'"),
    });
  });

  it('explains the naming where there is no split at all', async () => {
    expect(await openingProblem({ x: THREE_IMAGES })).toMatchObject({
      kind: 'split-missing',
      hint: expect.stringContaining('eval/<input name>'),
    });
  });

  it('names a single array of another name in the hint, and does not guess', async () => {
    expect(await openingProblem({ 'eval/image': THREE_IMAGES })).toMatchObject({
      kind: 'input-missing',
      message: expect.stringContaining("it has 'image', the model needs 'x'"),
      hint: "if 'eval/image' is what the model takes, save it as 'eval/x'",
    });
  });

  it('does not suggest anything where there is a choice', async () => {
    const problem = await openingProblem({ 'eval/a': THREE_IMAGES, 'eval/b': THREE_IMAGES });
    expect(problem).toMatchObject({ kind: 'input-missing', hint: "save the array as 'eval/x'" });
  });

  it('passes on why the array that is needed cannot be read', async () => {
    const problem = await openingProblem({ 'eval/x': npy('|O', [3], new Uint8Array(8)) });
    expect(problem).toMatchObject({ kind: 'npy-unsupported', place: { tensor: 'eval/x' } });
  });

  it('is not disturbed by an unreadable array that the model does not need', async () => {
    const samples = await source({ 'eval/x': THREE_IMAGES, meta: npy('|O', [3], new Uint8Array(8)) });
    expect(samples.count).toBe(3);
    await samples.close();
  });

  it('has floats for an integer input', async () => {
    const problem = await openingProblem(
      { 'eval/x': THREE_IMAGES },
      { modelInputs: [{ ...IMAGE, type: 'uint8' }] },
    );
    expect(problem).toMatchObject({
      kind: 'dtype-mismatch',
      hint: expect.stringContaining('astype(np.uint8)'),
    });
  });

  it('has inputs of different lengths', async () => {
    const y: ModelInput = { name: 'y', type: 'float32', dims: ['n', 2] };
    const problem = await openingProblem(
      { 'eval/x': THREE_IMAGES, 'eval/y': float32Npy([1, 2], [1, 2]) },
      { modelInputs: [IMAGE, y] },
    );
    expect(problem).toMatchObject({
      kind: 'sample-count-mismatch',
      message: expect.stringContaining("'eval/x' has 3, 'eval/y' has 1"),
    });
  });

  it('has no samples', async () => {
    expect(await openingProblem({ 'eval/x': float32Npy([0, 2], []) })).toMatchObject({ kind: 'no-samples' });
  });

  it('has a value that the type of the model cannot hold, in a sample that is named', async () => {
    const samples = await source({
      'eval/x': npy('<f8', [2, 2], bytesOf(new Float64Array([1, 2, 3, 1e300]))),
    });
    expect(await samples.read(0)).toMatchObject({ ok: true });
    const problem = { kind: 'value-unrepresentable', place: { tensor: 'eval/x', sample: 1 } };
    expect(await samples.read(1)).toMatchObject({ ok: false, error: problem });
    const all = async () => {
      for await (const _ of samples.samples());
    };
    await expect(all()).rejects.toThrow(ProblemError);
    await expect(all()).rejects.toMatchObject({ problem });
    await samples.close();
  });
});

describe('labels', () => {
  async function labels(arrays: Arrays, split = 'eval'): Promise<unknown> {
    const opened = await open({ [`${split}/x`]: THREE_IMAGES, ...arrays }, { split, withTruth: true });
    if (!opened.ok) return opened.error;
    const found = await classes(opened.value);
    await opened.value.close();
    return found;
  }

  it('are found in the split, before the array of the whole file', async () => {
    const found = await labels({ 'eval/labels': int64Npy([3], [1, 2, 3]), labels: int64Npy([3], [4, 5, 6]) });
    expect(found).toEqual([1, 2, 3]);
  });

  it('of the whole file belong to the split eval only', async () => {
    expect(await labels({ labels: int64Npy([3], [4, 5, 6]) })).toEqual([4, 5, 6]);
    expect(await labels({ labels: int64Npy([3], [4, 5, 6]) }, 'calib')).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('may be missing', async () => {
    expect(await labels({})).toEqual([undefined, undefined, undefined]);
  });

  it('may be a column, and of any integer type', async () => {
    expect(await labels({ labels: npy('|u1', [3, 1], new Uint8Array([9, 8, 7])) })).toEqual([9, 8, 7]);
  });

  it('are not taken from an input of the model that has that name', async () => {
    const samples = await source(
      { 'eval/labels': THREE_IMAGES, labels: int64Npy([3], [4, 5, 6]) },
      { modelInputs: [{ ...IMAGE, name: 'labels' }], withTruth: true },
    );
    expect(await classes(samples)).toEqual([4, 5, 6]);
    await samples.close();
  });

  it.each<[string, Uint8Array, object]>([
    ['a wrong count', int64Npy([2], [1, 2]), { message: expect.stringContaining('2 of them for 3 samples') }],
    ['a negative one', int64Npy([3], [1, -1, 2]), { place: expect.objectContaining({ sample: 1 }) }],
    ['one beyond 32 bits', int64Npy([3], [1, 2, 2 ** 31]), { place: expect.objectContaining({ sample: 2 }) }],
  ])('with %s are named', async (_case, array, expected) => {
    expect(await labels({ labels: array })).toMatchObject({ kind: 'labels-invalid', ...expected });
  });

  it('that are no whole number each are tensors', async () => {
    const tensors = async (array: Uint8Array) => {
      const samples = await source({ 'eval/x': THREE_IMAGES, labels: array }, { withTruth: true });
      const sample = await samples.read(1);
      await samples.close();
      return sample.ok ? sample.value.truth : sample.error;
    };
    expect(await tensors(float32Npy([3], [1, 2.5, 3]))).toEqual({
      kind: 'tensor',
      dims: [],
      values: new Float64Array([2.5]),
    });
    expect(await tensors(int64Npy([3, 2], [0, 1, 2, 3, 4, 5]))).toEqual({
      kind: 'tensor',
      dims: [2],
      values: new Float64Array([2, 3]),
    });
  });

  it('are neither read nor checked where nobody wants them', async () => {
    const samples = await source({ 'eval/x': THREE_IMAGES, labels: int64Npy([2], [1, 2]) });
    expect(await classes(samples)).toEqual([undefined, undefined, undefined]);
    await samples.close();
  });

  it('that are pickled are refused', async () => {
    expect(await labels({ labels: npy('|O', [3], new Uint8Array(8)) })).toMatchObject({
      kind: 'npy-unsupported',
    });
  });
});

describe('a range of samples', () => {
  it('takes each step-th one', async () => {
    const samples = await source({ 'eval/x': float32Npy([5, 2], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]) });
    const rows: unknown[] = [];
    for await (const { index, feeds } of samples.samples({ start: 1, step: 2 }))
      rows.push([index, feeds['x']?.data[0]]);
    expect(rows).toEqual([
      [1, 1],
      [3, 3],
    ]);
    await samples.close();
  });

  it.each([0, -1, Number.NaN])('treats a step of %f as a bug of the caller', async (step) => {
    const samples = await source({ 'eval/x': THREE_IMAGES });
    await expect(samples.results({ step })[Symbol.asyncIterator]().next()).rejects.toThrow(RangeError);
    await samples.close();
  });
});
