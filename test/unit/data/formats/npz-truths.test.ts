import { describe, expect, it, onTestFinished } from 'vitest';
import type { LabelSpec } from '../../../../src/core/data-spec.ts';
import { encodeFloat16 } from '../../../../src/core/float16.ts';
import { readNpzTruths } from '../../../../src/data/formats/npz-truths.ts';
import { openNpz } from '../../../../src/data/npz.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf, float32Npy, int64Npy, npy, npz } from '../npz-writer.ts';
import { fileOf } from './folder-of-files.ts';

const read = async (array: Uint8Array, labels?: LabelSpec, name: string | undefined = 'y') => {
  const archive = unwrap(await openNpz(fileOf('data.npz', npz({ y: array }))));
  onTestFinished(() => archive.close());
  return readNpzTruths(archive, name, 3, labels);
};

/** The truths of the three items, or why there are none. */
async function truths(array: Uint8Array, labels?: LabelSpec): Promise<unknown> {
  const truthAt = await read(array, labels);
  if (!truthAt.ok) return truthAt.error;
  const found: unknown[] = [];
  for (const index of [0, 1, 2]) {
    const truth = await truthAt.value?.(index);
    if (truth !== undefined && 'ok' in truth) found.push(truth.ok ? truth.value : truth.error);
    else found.push(truth);
  }
  return found;
}

const classes = (...indices: number[]) => indices.map((index) => ({ kind: 'class', index }));
const tensors = (dims: readonly number[], ...rows: number[][]) =>
  rows.map((row) => ({ kind: 'tensor', dims, values: Float64Array.from(row) }));

describe('one integer an item', () => {
  it.each<[string, Uint8Array]>([
    ['int64', int64Npy([3], [2, 0, 9])],
    ['a column', int64Npy([3, 1], [2, 0, 9])],
    ['uint8', npy('|u1', [3], Uint8Array.of(2, 0, 9))],
    ['big-endian int32', npy('>i4', [3], Buffer.from(bytesOf(Int32Array.of(2, 0, 9))).swap32())],
  ])('is a class: %s', async (_case, array) => {
    expect(await truths(array)).toEqual(classes(2, 0, 9));
  });

  it('is a number where the settings say so', async () => {
    expect(await truths(int64Npy([3], [2, -1, 9]), { kind: 'tensor' })).toEqual(tensors([], [2], [-1], [9]));
  });

  it.each<[string, Uint8Array, LabelSpec | undefined, string, number]>([
    ['negative', int64Npy([3], [1, 2, -1]), undefined, 'the label is -1', 2],
    ['beyond 32 bits', int64Npy([3], [1, 2 ** 31, 0]), undefined, 'the label is 2147483648', 1],
    ['beyond the names', int64Npy([3], [0, 1, 2]), { classes: ['a', 'b'] }, 'names the classes 0 to 1', 2],
  ])('is no class where it is %s', async (_case, array, labels, message, sample) => {
    expect(await truths(array, labels)).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining(message),
      place: { tensor: 'y', sample },
    });
  });
});

describe('other numbers', () => {
  it('are a tensor an item', async () => {
    expect(await truths(float32Npy([3], [1, 2.5, -3]))).toEqual(tensors([], [1], [2.5], [-3]));
    expect(await truths(int64Npy([3, 2], [1, 2, 3, 4, 5, 6]))).toEqual(tensors([2], [1, 2], [3, 4], [5, 6]));
    const halves = npy('<f2', [3], bytesOf(Uint16Array.of(...[0.5, 1, -2].map(encodeFloat16))));
    expect(await truths(halves)).toEqual(tensors([], [0.5], [1], [-2]));
  });

  it('are a mask an item where the settings say so', async () => {
    const mask = npy('|u1', [3, 1, 2], Uint8Array.of(0, 1, 2, 0, 255, 1));
    expect(await truths(mask, { kind: 'mask' })).toEqual(tensors([1, 2], [0, 1], [2, 0], [255, 1]));
  });

  it('are the classes that apply, marked by 1, where the settings say so', async () => {
    const marks = [0, 1, 1, 0, 0, 0, 1, 0, 1];
    const expected = [[1, 2], [], [0, 2]].map((indices) => ({ kind: 'classes', indices }));
    const labels = { kind: 'classes' } as const;
    expect(await truths(int64Npy([3, 3], marks), labels)).toEqual(expected);
    expect(await truths(npy('|b1', [3, 3], Uint8Array.from(marks)), labels)).toEqual(expected);
    const halves = Uint16Array.from(marks, encodeFloat16);
    halves[0] = encodeFloat16(-0);
    expect(await truths(npy('<f2', [3, 3], bytesOf(halves)), labels)).toEqual(expected);
  });

  it('are no marks where they are something else, such as a list of classes', async () => {
    const [first, second] = (await truths(int64Npy([3, 2], [0, 1, 3, -1, 0, 0]), {
      kind: 'classes',
    })) as unknown[];
    expect(first).toEqual({ kind: 'classes', indices: [1] });
    expect(second).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining('class 0 is marked by 3'),
      place: { tensor: 'y', sample: 1 },
      hint: expect.stringContaining('[samples, classes]'),
    });
  });

  it.each<[string, Uint8Array, LabelSpec, string]>([
    ['floats', float32Npy([3], [1, 2, 3]), { kind: 'class' }, 'float32, not integers'],
    ['pairs', int64Npy([3, 2], [1, 2, 3, 4, 5, 6]), { kind: 'class' }, 'shape is [3,2]'],
    ['texts', int64Npy([3], [1, 2, 3]), { kind: 'text' }, "cannot hold labels of the kind 'text'"],
    ['boxes', int64Npy([3], [1, 2, 3]), { kind: 'boxes' }, "the kind 'boxes'"],
  ])('are no classes, or what else is asked for: %s', async (_case, array, labels, message) => {
    expect(await truths(array, labels)).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining(message),
      place: { tensor: 'y' },
    });
  });
});

describe('labels in an .npz', () => {
  it('need not be there', async () => {
    const archive = unwrap(await openNpz(fileOf('data.npz', npz({ y: int64Npy([3], [1, 2, 3]) }))));
    expect(await readNpzTruths(archive, undefined, 3, undefined)).toEqual({ ok: true, value: undefined });
    await archive.close();
  });

  it.each<[string, Uint8Array, string]>([
    ['too few', int64Npy([2], [1, 2]), '2 of them for 3 samples'],
    ['too many', int64Npy([4], [1, 2, 3, 4]), '4 of them for 3 samples'],
  ])('are one for each item: %s', async (_case, array, message) => {
    expect(await truths(array)).toMatchObject({
      kind: 'labels-invalid',
      message: expect.stringContaining(message),
    });
  });

  it('are missed where the array is not there, or cannot be read', async () => {
    expect(await read(int64Npy([3], [1, 2, 3]), undefined, 'z')).toMatchObject({
      error: {
        kind: 'labels-invalid',
        message: expect.stringContaining('no such array'),
        place: { tensor: 'z' },
      },
    });
    expect(await truths(npy('|O', [3], new Uint8Array(8)))).toMatchObject({ kind: 'npy-unsupported' });
  });

  it.each(['file', 'item', 'truth', 'group', 'masks'] as const)(
    'are in no other place: %s',
    async (setting) => {
      expect(await truths(int64Npy([3], [1, 2, 3]), { [setting]: 'other' })).toMatchObject({
        kind: 'labels-invalid',
        place: { field: `/labels/${setting}` },
      });
    },
  );
});
