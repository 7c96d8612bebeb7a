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
    expect(unwrap(await one(resolveData(file, undefined)))).toEqual({ dataPath: file, split: 'eval' });
    expect(unwrap(await one(resolveData(file, 'test')))).toEqual({ dataPath: file, split: 'test' });
  });

  it('takes what is not there for data, so that its reader says what is wrong', async () => {
    expect(unwrap(await one(resolveData('/nowhere/d.npz', undefined))).dataPath).toBe('/nowhere/d.npz');
  });

  it('takes a folder without a profile for data', async () => {
    const folder = join(temporaryFolder(), 'images');
    mkdirSync(folder);
    expect(unwrap(await one(resolveData(folder, undefined))).dataPath).toBe(folder);
  });

  it.each(['', 'profile.yaml'])('finds data and split through a profile (%j)', async (name) => {
    const folder = folderWithProfile();
    const choice = unwrap(await one(resolveData(join(folder, name), undefined)));
    expect(choice).toMatchObject({
      dataPath: join(folder, 'd.npz'),
      split: 'test',
      profile: { name: 'tiny' },
    });
    expect(unwrap(await one(resolveData(join(folder, name), 'eval'))).split).toBe('eval');
  });

  it('tells what is wrong with a profile', async () => {
    const missing = await resolveData('/nowhere/profile.yaml', undefined);
    expect(missing).toMatchObject({ ok: false, error: [{ kind: 'profile-not-found' }] });
  });
});

async function one<T, E>(
  result: ReturnType<() => Promise<{ ok: true; value: T } | { ok: false; error: readonly E[] }>>,
) {
  const settled = await result;
  return settled.ok ? settled : { ok: false as const, error: settled.error[0] as never };
}
