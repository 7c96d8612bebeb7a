import { truncateSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openNpyCollection } from '../../../../src/data/formats/npy.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { bytesOf, float32Npy, npy } from '../npz-writer.ts';
import { fileOf } from './folder-of-files.ts';

async function faultOf(content: Uint8Array) {
  const file = fileOf('a.npy', content);
  const result = await openNpyCollection(file);
  if (result.ok) throw new Error('the file was opened');
  expect(result.error.place).toMatchObject({ file });
  return result.error;
}

describe('a .npy array', () => {
  it('has its rows as items, read in any order', async () => {
    const path = fileOf('a.npy', float32Npy([3, 2, 1], [1, 2, 3, 4, 5, 6]));
    const collection = unwrap(await openNpyCollection(path));
    expect(collection).toMatchObject({
      path,
      count: 3,
      fields: [{ kind: 'tensor', name: 'array', type: 'float32', dims: [2, 1] }],
      unused: [],
    });
    for (const index of [2, 0, 1]) {
      expect(collection.describe(index)).toEqual({ id: `row ${index}` });
      expect(unwrap(await collection.read(index))).toEqual({
        fields: {
          array: {
            kind: 'tensor',
            tensor: { type: 'float32', dims: [2, 1], data: Float32Array.of(2 * index + 1, 2 * index + 2) },
          },
        },
      });
    }
    await collection.close();
  });

  it('may have the other byte order, and rows that are single numbers', async () => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt16BE(-2, 0);
    bytes.writeInt16BE(300, 2);
    const collection = unwrap(await openNpyCollection(fileOf('a.npy', npy('>i2', [2], bytes))));
    const { array } = unwrap(await collection.read(1)).fields;
    expect(array).toEqual({ kind: 'tensor', tensor: { type: 'int16', dims: [], data: Int16Array.of(300) } });
    await collection.close();
  });

  it('has one content key for equal rows', async () => {
    const collection = unwrap(
      await openNpyCollection(fileOf('a.npy', float32Npy([3, 2], [1, 2, 1, 3, 1, 2]))),
    );
    const keys = await Promise.all(
      [0, 1, 2].map(async (index) => unwrap(await collection.contentKey(index))),
    );
    expect(keys[0]).toBe(keys[2]);
    expect(keys[0]).not.toBe(keys[1]);
    await collection.close();
  });

  it('is refused where it is cut short, too long, no array, in Fortran order, or has no items', async () => {
    const whole = float32Npy([2, 2], [1, 2, 3, 4]);
    expect(await faultOf(whole.subarray(0, -1))).toMatchObject({
      kind: 'npy-invalid',
      message: 'the .npy header claims float32 [2,2], 16 bytes, but the file holds 15',
    });
    expect((await faultOf(Buffer.concat([whole, Buffer.alloc(1)]))).message).toContain('the file holds 17');
    expect((await faultOf(whole.subarray(0, 40))).message).toContain('cut short');
    expect((await faultOf(whole.subarray(0, 5))).message).toContain('the magic bytes are missing');
    expect((await faultOf(npy('<f4', [2, 2], bytesOf(new Float32Array(4)), { fortran: true }))).kind).toBe(
      'npy-unsupported',
    );
    expect((await faultOf(float32Npy([0, 2], []))).message).toContain('the array has the shape [0,2]');
    expect(
      (
        await faultOf(
          npy('<f4', [], new Uint8Array(4), {
            header: "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
          }),
        )
      ).message,
    ).toContain('a single number');
  });

  it('is refused where it is no file', async () => {
    const folder = temporaryFolder();
    expect(await openNpyCollection(folder)).toMatchObject({
      ok: false,
      error: { kind: 'data-unreadable', message: 'the data is not a regular file' },
    });
    expect(await openNpyCollection(`${folder}/none.npy`)).toMatchObject({
      ok: false,
      error: { message: 'the data cannot be read: it does not exist' },
    });
  });

  it('names the item where the file has become shorter since', async () => {
    const path = fileOf('a.npy', float32Npy([2, 2], [1, 2, 3, 4]));
    const collection = unwrap(await openNpyCollection(path));
    truncateSync(path, 128 + 9);
    const failed = { ok: false, error: { kind: 'data-unreadable', place: { file: path, sample: 1 } } };
    expect(await collection.read(1)).toMatchObject(failed);
    expect(await collection.contentKey(1)).toMatchObject(failed);
    expect((await collection.read(0)).ok).toBe(true);
    await collection.close();
  });

  it('is refused where a row is larger than a buffer can be', async () => {
    // The size in the header is compared with the file's, so the file is given that size without its bytes.
    const path = fileOf('a.npy', npy('|u1', [1, 2 ** 31], new Uint8Array(0)));
    truncateSync(path, 128 + 2 ** 31);
    const collection = unwrap(await openNpyCollection(path));
    expect(await collection.read(0)).toMatchObject({
      ok: false,
      error: { kind: 'row-too-large', place: { file: path, sample: 0 } },
    });
    await collection.close();
  });
});
