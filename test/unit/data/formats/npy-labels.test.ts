import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLabelledNpy } from '../../../../src/data/formats/npy-labels.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';
import { float32Npy, int64Npy } from '../npz-writer.ts';

const THREE = float32Npy([3, 2], [1, 2, 3, 4, 5, 6]);

function write(labels: Uint8Array) {
  const folder = temporaryFolder();
  const [path, file] = [join(folder, 'x.npy'), join(folder, 'y.npy')];
  writeFileSync(path, THREE);
  writeFileSync(file, labels);
  return { path, file };
}

describe('labels of an .npy in another .npy', () => {
  it('are classes where they are one integer a row', async () => {
    const { path, file } = write(int64Npy([3], [7, 0, 2]));
    const collection = unwrap(await openLabelledNpy(path, { file }));
    expect(collection.count).toBe(3);
    expect(unwrap(await collection.read(2))).toMatchObject({
      fields: { array: { tensor: { dims: [2], data: new Float32Array([5, 6]) } } },
      truth: { kind: 'class', index: 2 },
    });
    await collection.close();
  });

  it('are tensors where they are anything else, or where that is asked for', async () => {
    const targets = write(float32Npy([3, 1], [0.5, 1.5, 2.5]));
    const collection = unwrap(await openLabelledNpy(targets.path, { file: targets.file }));
    expect(unwrap(await collection.read(1)).truth).toEqual({
      kind: 'tensor',
      dims: [1],
      values: new Float64Array([1.5]),
    });
    await collection.close();
    const counts = write(int64Npy([3], [7, -1, 2]));
    const asTensors = unwrap(await openLabelledNpy(counts.path, { file: counts.file, kind: 'tensor' }));
    expect(unwrap(await asTensors.read(1)).truth).toMatchObject({ kind: 'tensor', dims: [] });
    await asTensors.close();
  });

  it('name the item whose class is no class', async () => {
    const { path, file } = write(int64Npy([3], [7, -1, 2]));
    const collection = unwrap(await openLabelledNpy(path, { file }));
    expect(await collection.read(1)).toMatchObject({
      ok: false,
      error: {
        kind: 'labels-invalid',
        message: expect.stringContaining('-1 (int64)'),
        place: { file, sample: 1 },
      },
    });
    await collection.close();
    const pairs = write(int64Npy([3, 2], [7, 1, 2, 3, 4, 5]));
    const paired = unwrap(await openLabelledNpy(pairs.path, { file: pairs.file, kind: 'class' }));
    expect(await paired.read(0)).toMatchObject({ error: { message: expect.stringContaining('int64 [2]') } });
    await paired.close();
  });

  it('must be as many as the items', async () => {
    const { path, file } = write(int64Npy([2], [7, 1]));
    expect(await openLabelledNpy(path, { file })).toMatchObject({
      ok: false,
      error: { kind: 'labels-invalid', message: expect.stringContaining('2 labels for 3 items') },
    });
  });

  it('cannot be of a kind that is no array, nor in another kind of file', async () => {
    const { path, file } = write(int64Npy([3], [1, 2, 3]));
    for (const labels of [{ file, kind: 'boxes' } as const, { file: `${file}.csv` }, {}]) {
      expect(await openLabelledNpy(path, labels)).toMatchObject({ error: { kind: 'labels-invalid' } });
    }
  });
});
