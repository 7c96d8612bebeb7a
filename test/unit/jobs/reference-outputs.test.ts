import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptAsync } from '../../../src/core/problem.ts';
import type { EvaluateTask } from '../../../src/jobs/evaluate-task.ts';
import type { RecordedOutputs } from '../../../src/jobs/outputs-reader.ts';
import {
  UNFEEDABLE,
  writeClassifier,
  writeIntegerSamples,
  writeLookup,
  writeSamples,
} from '../../support/evaluated-models.ts';
import {
  evaluate,
  evaluationIn,
  LABELS,
  onlyFile,
  ROWS,
  rewrite,
  SKEWED,
  scores,
} from '../../support/small-evaluation.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('the kept outputs of the reference', () => {
  it('are used by the next evaluation, which gives the same figures bit for bit', async () => {
    const folder = temporaryFolder();
    const task = evaluationIn(folder, { outputsCache: { folder: join(folder, 'cache') } });
    const first = await evaluate(task);
    const second = await evaluate(task);
    expect([first.referenceReused, second.referenceReused]).toEqual([false, true]);
    expect({ ...second, referenceReused: false }).toEqual(first);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(1);
  });

  it('are what the candidate is compared with, without running the reference', async () => {
    const folder = temporaryFolder();
    const cache = join(folder, 'cache');
    const task = evaluationIn(folder, { outputsCache: { folder: cache } });
    await evaluate(task);
    await rewrite(onlyFile(cache), (samples) =>
      samples.map(({ index }) => ({ index, outputs: scores(7, 0) })),
    );
    // By those, the reference says the first class every time.
    expect(await evaluate(task)).toMatchObject({ reference: { top1: 0.5 }, referenceReused: true });
  });

  it('serve a candidate that is the reference itself, which is run then', async () => {
    const folder = temporaryFolder();
    const task = evaluationIn(folder, { outputsCache: { folder: join(folder, 'cache') } });
    const itself = { ...task, candidates: [{ variant: 'fp32', path: task.reference.path }] };
    expect(await evaluate(itself)).toMatchObject({ referenceReused: false, identical: true });
    expect(await evaluate(itself)).toMatchObject({ referenceReused: true, identical: true });
  });

  it('are others for another model, data set, split, limit, preprocessing and state, the same for another budget', async () => {
    const folder = temporaryFolder();
    const outputsCache = { folder: join(folder, 'cache') };
    const task = evaluationIn(folder, { outputsCache });
    await evaluate(task);
    const count = () => readdirSync(outputsCache.folder).length;
    await evaluate({ ...task, budget: { metric: 'agreement', absolute: 0.1 } });
    await evaluate({ ...task, task: { name: 'fidelity', settings: {} } });
    expect(count()).toBe(1);
    const { spec } = task.data;
    const others: Partial<EvaluateTask>[] = [
      { reference: { variant: 'fp32', path: writeClassifier(folder, 'b.onnx', SKEWED) } },
      { data: { spec: { path: writeSamples(folder, 'b.npz', [...ROWS].reverse(), LABELS) }, split: 'eval' } },
      { data: { spec: { ...spec, arrays: { other: { x: 'eval/x' } } }, split: 'other' } },
      { samples: 3 },
      { data: { spec: { ...spec, preprocess: { scale: 2 } }, split: 'eval' } },
      { data: { spec: { ...spec, preprocess: { scale: 3 } }, split: 'eval' } },
    ];
    for (const [position, other] of others.entries()) {
      const evaluation = await evaluate({ ...task, ...other });
      expect([evaluation.referenceReused, count()], String(position)).toEqual([false, position + 2]);
    }
  });

  it('are found through digests that are known already', async () => {
    const folder = temporaryFolder();
    const digests = { modelDigest: 'm', dataDigest: 'd', modelSizeBytes: 1 };
    const task = evaluationIn(folder, { outputsCache: { folder: join(folder, 'cache'), digests } });
    expect((await evaluate(task)).referenceReused).toBe(false);
    const sameDigests = { ...task, reference: task.candidates[0] as never };
    expect((await evaluate(sameDigests)).referenceReused).toBe(true);
  });

  it('are not kept where the reference fails on a sample, nor where the evaluation ends early', async () => {
    const folder = temporaryFolder();
    const cache = join(folder, 'cache');
    const path = writeLookup(folder, 'short.onnx', [[2, 1]]);
    const data = { spec: { path: writeSamples(folder, 'rows.npz', [[0], [1], [0]]) }, split: 'eval' };
    const itself = { variant: 'fp32', path };
    const failing = evaluationIn(folder, {
      reference: itself,
      candidates: [itself],
      data,
      outputsCache: { folder: cache },
    });
    expect(await evaluate(failing)).toMatchObject({ verdict: 'invalid', referenceReused: false });
    expect(readdirSync(cache)).toEqual([]);
    const wrongLabel = writeSamples(folder, 'wrong.npz', ROWS, [0, 1, 0, 5]);
    const ended = evaluationIn(folder, {
      data: { spec: { path: wrongLabel }, split: 'eval' },
      outputsCache: { folder: cache },
    });
    expect((await attemptAsync(() => evaluate(ended))).ok).toBe(false);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('pass over samples that are left out, in both evaluations alike', async () => {
    const folder = temporaryFolder();
    const rows = [[UNFEEDABLE, 0], ...ROWS.slice(0, 2), [UNFEEDABLE, 0], ...ROWS.slice(2)];
    const path = writeIntegerSamples(folder, 'own.npz', rows, [0, 0, 1, 0, 0, 1]);
    const task = evaluationIn(folder, {
      data: { spec: { path, onBadSample: 'skip' }, split: 'eval' },
      outputsCache: { folder: join(folder, 'cache') },
    });
    const first = await evaluate(task);
    const second = await evaluate(task);
    expect(first).toMatchObject({ n: 4, skipped: { indices: [0, 3] } });
    expect(second).toEqual({ ...first, referenceReused: true });
  });

  it.each([
    ['end too early', 2, (samples: readonly RecordedOutputs[]) => samples.slice(0, 2)],
    [
      'are of other samples',
      0,
      (samples: readonly RecordedOutputs[]) =>
        samples.map(({ index, outputs }) => ({ index: index + 1, outputs })),
    ],
  ] as const)('are named where they %s', async (_what, lacking, change) => {
    const folder = temporaryFolder();
    const cache = join(folder, 'cache');
    const task = evaluationIn(folder, { outputsCache: { folder: cache } });
    await evaluate(task);
    await rewrite(onlyFile(cache), change);
    expect(await attemptAsync(() => evaluate(task))).toMatchObject({
      ok: false,
      error: {
        kind: 'outputs-damaged',
        message: `stored outputs of the reference lack sample ${lacking}`,
        place: { file: onlyFile(cache) },
      },
    });
  });
});

describe('an evaluation that cannot keep what it is to keep', () => {
  it('says which folder cannot be written', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const task = evaluationIn(folder, { outputsCache: { folder: join(folder, 'file') } });
    expect(await attemptAsync(() => evaluate(task))).toMatchObject({
      ok: false,
      error: { place: { file: expect.stringContaining(join(folder, 'file')) }, hint: expect.any(String) },
    });
  });
});
