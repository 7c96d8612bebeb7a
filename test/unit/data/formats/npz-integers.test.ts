import { describe, expect, it, onTestFinished } from 'vitest';
import { readIntegers } from '../../../../src/data/formats/npz-integers.ts';
import { openNpz } from '../../../../src/data/npz.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf, float32Npy, int64Npy, npy, npz } from '../npz-writer.ts';
import { fileOf } from './folder-of-files.ts';

async function read(
  array: Uint8Array,
  role: 'sequence' | 'group' = 'sequence',
  name: string | undefined = 'a',
) {
  const archive = unwrap(await openNpz(fileOf('data.npz', npz({ a: array }))));
  onTestFinished(() => archive.close());
  return readIntegers(archive, name, 3, role);
}

describe('one integer an item', () => {
  it.each<[string, Uint8Array, ArrayLike<number | bigint>]>([
    ['int64', int64Npy([3], [7, 7, -2]), BigInt64Array.of(7n, 7n, -2n)],
    ['uint8', npy('|u1', [3], Uint8Array.of(1, 2, 3)), Uint8Array.of(1, 2, 3)],
    ['int32 in a column', npy('<i4', [3, 1], bytesOf(Int32Array.of(4, 5, 6))), Int32Array.of(4, 5, 6)],
  ])('is read from %s', async (_type, array, expected) => {
    expect(unwrap(await read(array))).toEqual(expected);
  });

  it('need not be there', async () => {
    const archive = unwrap(await openNpz(fileOf('data.npz', npz({ a: int64Npy([3], [1, 2, 3]) }))));
    expect(await readIntegers(archive, undefined, 3, 'group')).toEqual({ ok: true, value: undefined });
    await archive.close();
  });

  it.each<[string, Uint8Array, string]>([
    ['floats', float32Npy([3], [1, 2, 3]), 'the array is float32, not integers'],
    ['truths', npy('|b1', [3], Uint8Array.of(0, 1, 1)), 'the array is bool'],
    ['pairs', int64Npy([3, 2], [1, 2, 3, 4, 5, 6]), 'shape is [3,2]'],
    ['too few', int64Npy([2], [1, 2]), '2 numbers for 3 samples'],
    ['too many', int64Npy([4], [1, 2, 3, 4]), '4 numbers for 3 samples'],
  ])('is not read from %s', async (_case, array, message) => {
    for (const role of ['sequence', 'group'] as const) {
      expect(await read(array, role)).toMatchObject({
        ok: false,
        error: { kind: `${role}-invalid`, message: expect.stringContaining(message), place: { tensor: 'a' } },
      });
    }
  });

  it('is missed where the array is not there, or cannot be read', async () => {
    expect(await read(int64Npy([3], [1, 2, 3]), 'group', 'b')).toMatchObject({
      ok: false,
      error: { kind: 'group-invalid', message: 'the groups cannot be told apart: there is no such array' },
    });
    expect(await read(npy('|O', [3], new Uint8Array(8)))).toMatchObject({
      ok: false,
      error: { kind: 'npy-unsupported' },
    });
  });
});
