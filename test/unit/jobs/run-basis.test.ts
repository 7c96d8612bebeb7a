import { renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changedParts, readBasis } from '../../../src/jobs/run-basis.ts';
import { profileOf } from '../../support/profile.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function registered() {
  const folder = temporaryFolder();
  const model = join(folder, 'model.onnx');
  writeFileSync(model, 'one');
  return { folder, model, profile: profileOf('tiny', { file: join(folder, 'profile.yaml'), model }) };
}

describe('readBasis', () => {
  it('is the same as long as nothing changes', async () => {
    const { profile } = registered();
    expect(await readBasis(profile, {})).toEqual(await readBasis(profile, {}));
  });

  it('sees a model that was written, touched, removed, or put in place of another', async () => {
    const { folder, model, profile } = registered();
    let before = await readBasis(profile, undefined);
    const changes = [
      () => writeFileSync(model, 'three'),
      () => utimesSync(model, 1, 1),
      () => unlinkSync(model),
      () => {
        writeFileSync(join(folder, 'new.onnx'), 'other');
        renameSync(join(folder, 'new.onnx'), model);
      },
    ];
    for (const change of changes) {
      change();
      const now = await readBasis(profile, undefined);
      expect(changedParts(before, now)).toEqual(['model']);
      before = now;
    }
  });

  it('sees a link that leads to another file', async () => {
    const { folder, model, profile } = registered();
    const link = join(folder, 'current.onnx');
    symlinkSync(model, link);
    const linked = { ...profile, model: link };
    const before = await readBasis(linked, undefined);
    writeFileSync(join(folder, 'next.onnx'), 'two');
    unlinkSync(link);
    symlinkSync(join(folder, 'next.onnx'), link);
    expect(changedParts(before, await readBasis(linked, undefined))).toEqual(['model']);
  });

  it('sees what a profile says, but not where it lies', async () => {
    const { profile } = registered();
    const before = await readBasis(profile, undefined);
    const budget = { ...profile, budget: { metric: 'top1', absolute: 0.5 } };
    expect(changedParts(before, await readBasis(budget, undefined))).toEqual(['profile']);
    const set = { path: join(temporaryFolder(), 'data.npz') };
    const here = {
      ...profile,
      data: { ...profile.data, set: { path: profile.file.replace('profile.yaml', 'data.npz') } },
    };
    const there = {
      ...here,
      file: set.path.replace('data.npz', 'profile.yaml'),
      data: { ...profile.data, set },
    };
    expect((await readBasis(here, undefined)).profile).toBe((await readBasis(there, undefined)).profile);
  });

  it('sees drivers, whatever the order of the GPUs', async () => {
    const { profile } = registered();
    const gpus = (...versions: string[]) => ({
      gpus: versions.map((driverVersion) => ({ model: 'A100', driverVersion })),
    });
    const before = await readBasis(profile, gpus('550', '551') as never);
    expect(changedParts(before, await readBasis(profile, gpus('551', '550') as never))).toEqual([]);
    expect(changedParts(before, await readBasis(profile, gpus('551') as never))).toEqual(['drivers']);
  });
});
