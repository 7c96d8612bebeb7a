import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptAsync } from '../../../../src/core/problem.ts';
import { divideForSearch } from '../../../../src/jobs/search/divide-samples.ts';
import { DIGITS_DATA, DIGITS_MODEL } from '../../../support/program.ts';

const digits = (split: string, samples?: number) =>
  divideForSearch({
    kind: 'divide-samples',
    modelPath: DIGITS_MODEL,
    data: { spec: { path: DIGITS_DATA }, split },
    ...(samples === undefined ? {} : { samples }),
  });

describe('divideForSearch', () => {
  it('keeps a third apart, and loses none', async () => {
    const { make, choose, isLabelled } = await digits('calib');
    expect(choose).toHaveLength(86);
    expect([...make, ...choose].sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, at) => at));
    expect(isLabelled).toBe(false);
  });

  it('tells whether those that choose have labels', async () => {
    expect((await digits('eval', 40)).isLabelled).toBe(true);
  });

  it('divides a part of a part, as tuning does, within that part', async () => {
    const { choose } = await digits('calib');
    const divided = await divideForSearch({
      kind: 'divide-samples',
      modelPath: DIGITS_MODEL,
      data: { spec: { path: DIGITS_DATA }, split: 'calib', only: choose },
    });
    expect(divided.make.length + divided.choose.length).toBe(86);
  });

  it('needs three samples that differ', async () => {
    expect(await attemptAsync(() => digits('calib', 2))).toMatchObject({
      error: { kind: 'too-few-samples', place: { file: DIGITS_DATA } },
    });
  });

  it('says what is wrong with the data', async () => {
    const wrong = divideForSearch({
      kind: 'divide-samples',
      modelPath: DIGITS_MODEL,
      data: { spec: { path: join(DIGITS_DATA, '..', 'nothing.npz') }, split: 'calib' },
    });
    expect(await attemptAsync(() => wrong)).toMatchObject({ ok: false });
  });
});
