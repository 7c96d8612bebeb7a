import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveData } from '../../../src/cli/data-option.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

function folderWithProfile(): string {
  const folder = temporaryFolder();
  for (const name of ['m.onnx', 'd.npz']) writeFileSync(join(folder, name), '');
  writeFileSync(
    join(folder, 'profile.yaml'),
    'name: tiny\nmodel: m.onnx\ndata: { path: d.npz, evaluation: { split: test } }\n' +
      'variants: [{ name: int8, recipe: static-int8 }]\n',
  );
  return folder;
}

describe('resolveData', () => {
  it('takes any file for data, in the split eval', async () => {
    const file = join(folderWithProfile(), 'd.npz');
    expect(unwrap(await one(resolveData(file, undefined, 'evaluation')))).toEqual({
      spec: { path: file },
      split: 'eval',
    });
    expect(unwrap(await one(resolveData(file, undefined, 'calibration')))).toMatchObject({ split: 'calib' });
    expect(unwrap(await one(resolveData(file, 'test', 'evaluation')))).toEqual({
      spec: { path: file },
      split: 'test',
    });
  });

  it('takes what is not there for data, so that its reader says what is wrong', async () => {
    expect(unwrap(await one(resolveData('/nowhere/d.npz', undefined, 'evaluation'))).spec.path).toBe(
      '/nowhere/d.npz',
    );
  });

  it('takes a folder without a profile for data, all of it', async () => {
    const folder = join(temporaryFolder(), 'images');
    mkdirSync(folder);
    expect(unwrap(await one(resolveData(folder, undefined, 'evaluation')))).toEqual({
      spec: { path: folder },
      split: 'all',
    });
  });

  it.each(['', 'profile.yaml'])('finds data and split through a profile (%j)', async (name) => {
    const folder = folderWithProfile();
    const choice = unwrap(await one(resolveData(join(folder, name), undefined, 'evaluation')));
    expect(choice).toMatchObject({
      spec: { path: join(folder, 'd.npz') },
      split: 'test',
      profile: { name: 'tiny' },
    });
    expect(unwrap(await one(resolveData(join(folder, name), 'eval', 'evaluation'))).split).toBe('eval');
  });

  it('takes a YAML file without a model for a description of data', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'photos'));
    const file = join(folder, 'photos.yaml');
    writeFileSync(file, 'path: photos\npreprocess: { resize: { shortSide: 256 }, scale: 1/255 }\n');
    expect(unwrap(await one(resolveData(file, undefined, 'evaluation')))).toEqual({
      spec: {
        path: join(folder, 'photos'),
        preprocess: { image: { resize: { shortSide: 256 } }, scale: 1 / 255 },
      },
      split: 'all',
    });
    writeFileSync(file, 'path: photos\nsplits: { sizes: { calib: 0.5, eval: 0.5 } }\n');
    expect(unwrap(await one(resolveData(file, undefined, 'calibration')))).toMatchObject({ split: 'calib' });
  });

  it('names the field that a description of data gets wrong', async () => {
    const file = join(temporaryFolder(), 'data.yaml');
    writeFileSync(file, 'path: photos\npreproces: { scale: 1/255 }\n');
    const wrong = await resolveData(file, undefined, 'evaluation');
    expect(wrong).toMatchObject({
      ok: false,
      error: [{ kind: 'unknown-field', hint: 'did you mean "preprocess"?', place: { line: 2 } }],
    });
  });

  it('makes data up where it is called random', async () => {
    expect(unwrap(await one(resolveData('random', undefined, 'evaluation')))).toEqual({
      spec: { path: '', format: 'random' },
      split: 'all',
    });
  });

  it('tells what is wrong with a profile', async () => {
    const missing = await resolveData('/nowhere/profile.yaml', undefined, 'evaluation');
    expect(missing).toMatchObject({ ok: false, error: [{ kind: 'profile-not-found' }] });
  });
});

async function one<T, E>(
  result: ReturnType<() => Promise<{ ok: true; value: T } | { ok: false; error: readonly E[] }>>,
) {
  const settled = await result;
  return settled.ok ? settled : { ok: false as const, error: settled.error[0] as never };
}
