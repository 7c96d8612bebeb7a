import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DataSpec } from '../../../src/core/data-spec.ts';
import { digestFile } from '../../../src/core/digest.ts';
import { attemptAsync } from '../../../src/core/problem.ts';
import { digestData } from '../../../src/jobs/digest-data.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

/** A folder of pictures with labels, masks, a tokenizer and a module, and what names them all. */
function dataIn(folder: string) {
  mkdirSync(join(folder, 'photos', 'cats'), { recursive: true });
  mkdirSync(join(folder, 'masks'));
  const files = {
    'photos/a.png': 'a',
    'photos/cats/b.png': 'b',
    'masks/a.png': 'm',
    'labels.csv': 'file,label\n',
    'tokenizer.json': '{}',
    'own.mjs': 'export {}',
    'inputs.json': '{ "other": 1 }',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const spec = {
    path: join(folder, 'photos'),
    labels: { file: join(folder, 'labels.csv'), masks: join(folder, 'masks') },
    preprocess: { scale: 2, tokenize: { tokenizer: join(folder, 'tokenizer.json') } },
    inputs: { other: { tokenize: { tokenizer: join(folder, 'inputs.json') } } },
    module: join(folder, 'own.mjs'),
  } satisfies DataSpec;
  return { spec, files: Object.keys(files) };
}

describe('digestData', () => {
  it('is the digest of the file where nothing else describes the data', async () => {
    const path = join(temporaryFolder(), 'd.npz');
    writeFileSync(path, 'samples');
    const ofFile = unwrap(await digestFile(path));
    expect(await digestData({ path })).toBe(ofFile);
    expect(await digestData({ path, onBadSample: 'skip' })).toBe(ofFile);
    expect(await digestData({ path, preprocess: { scale: 2 } })).not.toBe(ofFile);
  });

  it.each([
    'photos/a.png',
    'photos/cats/b.png',
    'masks/a.png',
    'labels.csv',
    'tokenizer.json',
    'own.mjs',
    'inputs.json',
  ])('is another when %s changes', async (name) => {
    const folder = temporaryFolder();
    const { spec } = dataIn(folder);
    const before = await digestData(spec);
    expect(await digestData(spec)).toBe(before);
    writeFileSync(join(folder, name), 'changed');
    expect(await digestData(spec)).not.toBe(before);
  });

  it('is the same in another folder', async () => {
    const [here, there] = [dataIn(temporaryFolder()), dataIn(temporaryFolder())];
    expect(await digestData(here.spec)).toBe(await digestData(there.spec));
  });

  it('is another when a file has another name, is new, or has another description', async () => {
    const folder = temporaryFolder();
    const { spec } = dataIn(folder);
    const seen = new Set([await digestData(spec)]);
    renameSync(join(folder, 'photos/a.png'), join(folder, 'photos/c.png'));
    seen.add(await digestData(spec));
    writeFileSync(join(folder, 'photos/d.png'), 'd');
    seen.add(await digestData(spec));
    seen.add(await digestData({ ...spec, preprocess: { ...spec.preprocess, scale: 3 } }));
    seen.add(await digestData({ ...spec, labels: { ...spec.labels, classes: ['cat'] } }));
    seen.add(await digestData({ ...spec, splits: { seed: 0, sizes: { eval: 1 } } }));
    seen.add(await digestData({ ...spec, splits: { seed: 1, sizes: { eval: 1 } } }));
    expect(seen.size).toBe(7);
  });

  it('sees what links lead to, and passes over those that lead nowhere', async () => {
    const folder = temporaryFolder();
    const { spec } = dataIn(folder);
    writeFileSync(join(folder, 'elsewhere.png'), 'one');
    const before = await digestData(spec);
    symlinkSync(join(folder, 'elsewhere.png'), join(folder, 'photos/link.png'));
    symlinkSync(join(folder, 'nowhere.png'), join(folder, 'photos/broken.png'));
    symlinkSync(folder, join(folder, 'photos/round'));
    const linked = await digestData(spec);
    expect(linked).not.toBe(before);
    writeFileSync(join(folder, 'elsewhere.png'), 'another');
    expect(await digestData(spec)).not.toBe(linked);
  });

  it('needs no file for data that is made up', async () => {
    const [one, other] = [
      await digestData({ path: '', format: 'random' }),
      await digestData({ path: '', format: 'random', inputs: { x: { dims: [2] } } }),
    ];
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(other).not.toBe(one);
  });

  it.each(['photos', 'labels.csv', 'masks', 'tokenizer.json', 'inputs.json', 'own.mjs'])(
    'names %s where it is not there',
    async (name) => {
      const folder = temporaryFolder();
      const { spec } = dataIn(folder);
      renameSync(join(folder, name), join(folder, 'moved'));
      expect(await attemptAsync(() => digestData(spec))).toMatchObject({
        ok: false,
        error: { kind: 'file-unreadable', place: { file: join(folder, name) } },
      });
    },
  );
});
