import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attemptAsync } from '../../../src/core/problem.ts';
import { evaluateModels } from '../../../src/jobs/evaluate-models.ts';
import type { RecordedOutputs } from '../../../src/jobs/outputs-reader.ts';
import { readCpuFeatures } from '../../../src/runtime/cpu-features.ts';
import { writeClassifier, writeLookup, writeSamples } from '../../support/evaluated-models.ts';
import {
  context,
  evaluate,
  evaluationIn,
  onlyFile,
  ROWS,
  readSamples,
  rewrite,
  scores,
  writeExact,
} from '../../support/small-evaluation.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('golden outputs', () => {
  it('are recorded by the first evaluation and found again by the next ones', async () => {
    const folder = temporaryFolder();
    const task = evaluationIn(folder, { golden: { folder: join(folder, 'golden') } });
    const first = await evaluate(task);
    expect(first).toMatchObject({ goldenRecorded: true });
    expect(first).not.toHaveProperty('drift');
    const second = await evaluate(task);
    expect(second).not.toHaveProperty('goldenRecorded');
    expect(second.drift).toEqual({
      recorded: {
        onnxRuntimeVersion: expect.stringMatching(/^\d/),
        cpuModel: readCpuFeatures().modelName,
        recordedWallMs: expect.any(Number),
      },
      n: 4,
      drift: 'none',
      changed: { count: 0, indices: [] },
      maxAbsError: 0,
    });
  });

  it('are one file for each candidate, and one for two candidates that are the same model', async () => {
    const folder = temporaryFolder();
    const golden = { folder: join(folder, 'golden') };
    const task = evaluationIn(folder, { golden });
    const [skewed] = task.candidates;
    const candidates = [skewed, { variant: 'twin', path: skewed?.path }, task.reference] as never;
    const evaluations = await evaluateModels({ ...task, candidates }, context);
    expect(evaluations.map(({ goldenRecorded }) => goldenRecorded)).toEqual([true, true, true]);
    expect(readdirSync(golden.folder)).toHaveLength(2);
    const again = await evaluateModels({ ...task, candidates }, context);
    expect(again.map(({ drift }) => drift?.drift)).toEqual(['none', 'none', 'none']);
  });

  it.each([
    ['numeric', 0.001, { count: 0, indices: [] }],
    ['answers', 5, { count: 2, indices: [1, 3] }],
  ] as const)('tell that outputs have changed: %s', async (drift, more, changed) => {
    const folder = temporaryFolder();
    const golden = join(folder, 'golden');
    const task = evaluationIn(folder, { golden: { folder: golden }, candidates: [writeExact(folder)] });
    await evaluate(task);
    await rewrite(onlyFile(golden), (samples) =>
      samples.map(({ index }) => {
        const [a, b] = ROWS[index] as readonly [number, number];
        return { index, outputs: scores(a + more, b) };
      }),
    );
    const before = readFileSync(onlyFile(golden));
    const evaluation = await evaluate(task);
    expect(evaluation.drift).toMatchObject({ n: 4, drift, changed, maxAbsError: expect.closeTo(more, 5) });
    // The day of the record stays the one to compare with.
    expect(readFileSync(onlyFile(golden)).equals(before)).toBe(true);
  });

  it('count an output that was not a number as another answer, even where nothing reads it', async () => {
    const folder = temporaryFolder();
    const golden = join(folder, 'golden');
    const task = evaluationIn(folder, {
      golden: { folder: golden },
      candidates: [writeExact(folder)],
      task: { name: 'fidelity', settings: {} },
    });
    await evaluate(task);
    await rewrite(onlyFile(golden), (samples) =>
      samples.map(({ index, outputs }) => ({
        index,
        outputs: index === 2 ? scores(Number.NaN, 1) : outputs,
      })),
    );
    expect((await evaluate(task)).drift).toMatchObject({
      drift: 'answers',
      changed: { count: 1, indices: [2] },
    });
  });

  it('do not change where a model gives NaN on both days', async () => {
    const folder = temporaryFolder();
    const broken = {
      variant: 'broken',
      path: writeClassifier(folder, 'nan.onnx', [
        [Number.NaN, 0],
        [0, 1],
      ]),
    };
    const task = evaluationIn(folder, {
      golden: { folder: join(folder, 'golden') },
      candidates: [broken],
      task: { name: 'fidelity', settings: {} },
    });
    await evaluate(task);
    expect(await evaluate(task)).toMatchObject({ verdict: 'invalid', drift: { drift: 'none' } });
  });

  it('tell apart which samples are missing on one of the two days', async () => {
    const folder = temporaryFolder();
    const golden = join(folder, 'golden');
    const task = evaluationIn(folder, { golden: { folder: golden }, candidates: [writeExact(folder)] });
    await evaluate(task);
    const [before, ...rest] = await readSamples(onlyFile(golden));
    await rewrite(onlyFile(golden), () => rest);
    expect((await evaluate(task)).drift).toMatchObject({ n: 4, drift: 'answers', changed: { indices: [0] } });
    const late = { index: 9, outputs: scores(1, 2) };
    await rewrite(onlyFile(golden), () => [before as RecordedOutputs, ...rest, late]);
    expect((await evaluate(task)).drift).toMatchObject({ n: 5, drift: 'answers', changed: { indices: [9] } });
  });

  it('are not recorded from a model that fails on a sample, and say so', async () => {
    const folder = temporaryFolder();
    const golden = join(folder, 'golden');
    const table = [
      [2, 1],
      [1, 2],
    ] as const;
    const task = evaluationIn(folder, {
      reference: { variant: 'fp32', path: writeLookup(folder, 'long.onnx', [...table, [1, 2]]) },
      candidates: [{ variant: 'short', path: writeLookup(folder, 'short.onnx', table) }],
      data: { spec: { path: writeSamples(folder, 'rows.npz', [[0], [2], [1]]) }, split: 'eval' },
      golden: { folder: golden },
    });
    expect(await evaluate(task)).toMatchObject({ verdict: 'invalid', goldenRecorded: false });
    expect(readdirSync(golden)).toEqual([]);
  });

  it('are recorded where it is the reference alone that fails', async () => {
    const folder = temporaryFolder();
    const golden = join(folder, 'golden');
    const table = [
      [2, 1],
      [1, 2],
    ] as const;
    const task = evaluationIn(folder, {
      reference: { variant: 'fp32', path: writeLookup(folder, 'short.onnx', table) },
      candidates: [{ variant: 'long', path: writeLookup(folder, 'long.onnx', [...table, [1, 2]]) }],
      data: { spec: { path: writeSamples(folder, 'rows.npz', [[0], [2], [1]]) }, split: 'eval' },
      golden: { folder: golden },
    });
    expect(await evaluate(task)).toMatchObject({ goldenRecorded: true, failed: { indices: [1] } });
    expect((await readSamples(onlyFile(golden))).map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('leave nothing half-written where the evaluation ends early', async () => {
    const folder = temporaryFolder();
    const golden = join(folder, 'golden');
    const data = { spec: { path: writeSamples(folder, 'own.npz', ROWS, [0, 1, 0, 5]) }, split: 'eval' };
    const task = evaluationIn(folder, { data, golden: { folder: golden } });
    expect((await attemptAsync(() => evaluate(task))).ok).toBe(false);
    expect(readdirSync(golden)).toEqual([]);
  });

  it('leave nothing of one candidate where the file of the next cannot be read', async () => {
    const folder = temporaryFolder();
    const golden = join(folder, 'golden');
    const task = evaluationIn(folder, { golden: { folder: golden } });
    await evaluate(task);
    const inTheWay = onlyFile(golden);
    rmSync(inTheWay);
    mkdirSync(inTheWay);
    const candidates = [writeExact(folder), ...task.candidates];
    expect(await attemptAsync(() => evaluate({ ...task, candidates }))).toMatchObject({
      ok: false,
      error: { kind: 'outputs-unreadable', place: { file: inTheWay } },
    });
    expect(readdirSync(golden)).toHaveLength(1);
    expect(statSync(inTheWay).isDirectory()).toBe(true);
  });
});
