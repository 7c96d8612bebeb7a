import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateModels } from '../../../src/jobs/evaluate-models.ts';
import type { EvaluateTask, WatchedAnswers } from '../../../src/jobs/evaluate-task.ts';
import { writeClassifier, writeLookup, writeSamples } from '../../support/evaluated-models.ts';
import {
  context,
  evaluate,
  evaluationIn,
  LABELS,
  ROWS,
  SKEWED,
  writeExact,
} from '../../support/small-evaluation.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** So many samples that a quarter of them wrong is no chance. */
const MANY = Array.from({ length: 15 }, () => ROWS).flat();
const THEIR_LABELS = Array.from({ length: 15 }, () => LABELS).flat();

/** Exact variants of an exact model, whose answers are kept. */
async function firstDay(folder: string) {
  const base = evaluationIn(folder, {
    budget: { absolute: 0.1 },
    golden: { folder: join(folder, 'golden'), baselines: {} },
  });
  const spec = { path: writeSamples(folder, 'many.npz', MANY, THEIR_LABELS) };
  const task: EvaluateTask = { ...base, candidates: [writeExact(folder)], data: { spec, split: 'eval' } };
  const { watched, referenceWatched } = await evaluate(task);
  const baselines = { exact: watched as WatchedAnswers, fp32: referenceWatched as WatchedAnswers };
  const golden = { folder: join(folder, 'golden'), baselines };
  return { ...task, golden } satisfies EvaluateTask;
}

describe('answers that models are held to', () => {
  it('are kept of candidates and of the reference, and named with their samples', async () => {
    const folder = temporaryFolder();
    const { golden } = await firstDay(folder);
    const names = new Set(Object.values(golden.baselines).map(({ outputs }) => `${outputs}.outputs`));
    expect(new Set(readdirSync(golden.folder))).toEqual(names);
    expect(golden.baselines.exact.data).toBe(golden.baselines.fp32.data);
    expect(golden.baselines.exact).not.toHaveProperty('againstBaseline');
  });

  it('show on the same samples that a new model is worse, also where fp32 is the one that is', async () => {
    const folder = temporaryFolder();
    const task = await firstDay(folder);
    const worse = writeClassifier(folder, 'worse.onnx', SKEWED);
    const [now] = await evaluateModels(
      {
        ...task,
        reference: { variant: 'fp32', path: worse },
        candidates: [{ variant: 'exact', path: worse }],
      },
      context,
    );
    const found = {
      n: 60,
      metric: 'top1',
      value: 0.75,
      baseline: 1,
      loss: 0.25,
      allowedDrop: 0.1,
      changed: 15,
      verdict: 'regressed',
      verdictReason: expect.stringContaining('15 newly wrong'),
    };
    expect(now?.watched?.againstBaseline).toMatchObject(found);
    expect(now?.referenceWatched?.againstBaseline).toMatchObject(found);
    // By what it is compared with today, nothing is wrong.
    expect(now?.verdict).toBe('non_inferior');
  });

  it('show nothing of a model that answers alike', async () => {
    const { watched } = await evaluate(await firstDay(temporaryFolder()));
    expect(watched?.againstBaseline).toMatchObject({ loss: 0, changed: 0, verdict: 'non_inferior' });
  });

  it('are not compared with answers to other samples, nor where there are none', async () => {
    const folder = temporaryFolder();
    const task = await firstDay(folder);
    const others = { spec: { path: writeSamples(folder, 'other.npz', ROWS, LABELS) }, split: 'eval' };
    const { watched } = await evaluate({ ...task, data: others });
    expect(watched).toEqual({
      outputs: expect.any(String),
      data: expect.not.stringContaining(task.golden.baselines.exact.data),
    });
    const baselines = { exact: { ...task.golden.baselines.exact, outputs: '0'.repeat(64) } };
    const lost = await evaluate({ ...task, golden: { ...task.golden, baselines } });
    expect(lost.watched).not.toHaveProperty('againstBaseline');
  });

  it('are compared by what they mean, also with answers of another number of classes', async () => {
    const folder = temporaryFolder();
    const task = await firstDay(folder);
    const path = writeClassifier(folder, 'three.onnx', [
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const [now] = await evaluateModels(
      { ...task, reference: { variant: 'fp32', path }, candidates: [{ variant: 'exact', path }] },
      context,
    );
    expect(now?.watched?.againstBaseline).toMatchObject({ changed: 0, verdict: 'non_inferior' });
  });

  it('say nothing where only the baseline itself would tell what is right', async () => {
    const folder = temporaryFolder();
    const base = await firstDay(folder);
    const spec = { path: writeSamples(folder, 'unlabelled.npz', MANY) };
    const task = { ...base, data: { spec, split: 'eval' } };
    const { watched } = await evaluate(task);
    const baselines = { exact: watched as WatchedAnswers };
    const again = await evaluate({ ...task, golden: { ...task.golden, baselines } });
    expect(again.watched).not.toHaveProperty('againstBaseline');
  });

  it('are invalid evidence where the model fails on a sample now', async () => {
    const folder = temporaryFolder();
    const rows = [[0], [1], [2]];
    const table = [
      [1, 0],
      [0, 1],
      [1, 0],
    ] as const;
    const path = writeLookup(folder, 'whole.onnx', table);
    const base = await firstDay(folder);
    const spec = { path: writeSamples(folder, 'rows.npz', rows, [0, 1, 0]) };
    const whole = { variant: 'table', path };
    const task = { ...base, reference: whole, candidates: [whole], data: { spec, split: 'eval' } };
    const { watched } = await evaluate(task);
    const short = writeLookup(folder, 'short.onnx', table.slice(0, 2));
    const baselines = { table: watched as WatchedAnswers };
    const now = await evaluate({
      ...task,
      candidates: [{ variant: 'table', path: short }],
      golden: { ...task.golden, baselines },
    });
    expect(now.watched).toMatchObject({ outputs: null, againstBaseline: { verdict: 'invalid' } });
  });
});
