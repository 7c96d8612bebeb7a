import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { attemptAsync } from '../../../src/core/problem.ts';
import { evaluateModels } from '../../../src/jobs/evaluate-models.ts';
import { writeModel } from '../../../src/onnx/write-model.ts';
import {
  UNFEEDABLE,
  writeClassifier,
  writeIntegerSamples,
  writeLookup,
  writeSamples,
} from '../../support/evaluated-models.ts';
import { graph, model, node, value } from '../../support/graph-builder.ts';
import { context, evaluate, evaluationIn, ROWS } from '../../support/small-evaluation.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

describe('evaluateModels', () => {
  it('compares every candidate with the reference, on labels, answers and numbers', async () => {
    const folder = temporaryFolder();
    const task = evaluationIn(folder);
    const reference = { variant: 'same', path: task.reference.path };
    const [skewed, same] = await evaluateModels(
      { ...task, candidates: [...task.candidates, reference] },
      context,
    );
    expect(skewed).toMatchObject({
      variant: 'skewed',
      model: task.candidates[0]?.path,
      n: 4,
      top1: 0.75,
      reference: { top1: 1 },
      agreement: 0.75,
      flipped: { count: 1, indices: [1] },
      skipped: { count: 0, indices: [], problems: [] },
      referenceReused: false,
    });
    expect(same).toMatchObject({ variant: 'same', top1: 1, agreement: 1, identical: true });
    expect(same).not.toHaveProperty('drift');
    expect(same).not.toHaveProperty('goldenRecorded');
  });

  it('takes samples from all over the split where it is told how many', async () => {
    expect(await evaluate(evaluationIn(temporaryFolder(), { samples: 2 }))).toMatchObject({
      n: 2,
      // The first and the third: the second is the one that it gets wrong.
      top1: 1,
    });
  });

  it('tells how far it is, up to the end', async () => {
    const told: unknown[] = [];
    await evaluateModels(evaluationIn(temporaryFolder()), {
      clock: systemClock,
      emit: (event) => void told.push(event.kind === 'progress' ? event.progress : event.kind),
    });
    expect(told).toContainEqual({ phase: 'evaluate', done: 4, total: 4, unit: 'samples' });
  });

  it('writes the items whose answer changed, one a line', async () => {
    const folder = temporaryFolder();
    const task = evaluationIn(folder);
    const file = join(folder, 'deep', 'er', 'changed.jsonl');
    const [first] = task.candidates;
    await evaluate({ ...task, candidates: [{ ...first, changedItems: file } as never] });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        index: 1,
        id: expect.any(String),
        reference: 'class 1',
        candidate: 'class 0',
        referenceRight: true,
        candidateRight: false,
      },
    ]);
  });

  it('leaves a sample out that cannot be read, where the data allows it, and says which and why', async () => {
    const folder = temporaryFolder();
    const rows = [...ROWS.slice(0, 2), [UNFEEDABLE, 0], ...ROWS.slice(2)];
    const path = writeIntegerSamples(folder, 'own.npz', rows, [0, 1, 0, 0, 1]);
    const lenient = { spec: { path, onBadSample: 'skip' }, split: 'eval' } as const;
    const evaluation = await evaluate(evaluationIn(folder, { data: lenient }));
    expect(evaluation).toMatchObject({ n: 4, top1: 0.75, flipped: { indices: [1] } });
    expect(evaluation.skipped).toEqual({
      count: 1,
      indices: [2],
      problems: [expect.stringMatching(/^sample 2: .*16777217.* \(.*own\.npz\)$/)],
    });
  });

  it('lists the first five reasons for leaving samples out, and counts all', async () => {
    const folder = temporaryFolder();
    const rows = [...ROWS, ...Array.from({ length: 7 }, () => [UNFEEDABLE, 0])];
    const path = writeIntegerSamples(folder, 'own.npz', rows, new Array(11).fill(0));
    const data = { spec: { path, onBadSample: 'skip' }, split: 'eval' } as const;
    const { skipped } = await evaluate(evaluationIn(folder, { data }));
    expect([skipped.count, skipped.indices.length, skipped.problems.length]).toEqual([7, 7, 5]);
  });

  it('ends at a sample that cannot be read otherwise', async () => {
    const folder = temporaryFolder();
    const path = writeIntegerSamples(folder, 'own.npz', [...ROWS, [UNFEEDABLE, 0]], [0, 1, 0, 1, 0]);
    const task = evaluationIn(folder, { data: { spec: { path }, split: 'eval' } });
    expect(await attemptAsync(() => evaluate(task))).toMatchObject({
      ok: false,
      error: { kind: 'value-unrepresentable', place: { file: path, sample: 4 } },
    });
  });

  it('is invalid where the candidate fails on a sample, and where the reference does', async () => {
    const folder = temporaryFolder();
    const [long, short] = [
      writeLookup(folder, 'long.onnx', [
        [2, 1],
        [1, 2],
        [3, 1],
      ]),
      writeLookup(folder, 'short.onnx', [
        [2, 1],
        [1, 2],
      ]),
    ];
    const data = {
      spec: { path: writeSamples(folder, 'rows.npz', [[0], [1], [2], [0]], [0, 1, 0, 0]) },
      split: 'eval',
    };
    for (const [reference, candidate] of [
      [long, short],
      [short, long],
    ] as const) {
      const evaluation = await evaluate(
        evaluationIn(folder, {
          reference: { variant: 'fp32', path: reference },
          candidates: [{ variant: 'other', path: candidate }],
          data,
        }),
      );
      expect(evaluation).toMatchObject({ n: 3, verdict: 'invalid', failed: { count: 1, indices: [2] } });
      expect(evaluation.verdictReason).toContain('ONNX Runtime failed on this input');
    }
  });

  it('refuses data that is made up', async () => {
    const data = { spec: { path: '', format: 'random' }, split: 'all' } as const;
    expect(await attemptAsync(() => evaluate(evaluationIn(temporaryFolder(), { data })))).toMatchObject({
      ok: false,
      error: { kind: 'data-made-up', hint: expect.stringContaining('benchmarks') },
    });
  });

  it.each(['classification', 'fidelity'])('names the metrics that the task %s has', async (name) => {
    const task = evaluationIn(temporaryFolder(), { task: { name, settings: {} }, budget: { metric: 'wer' } });
    expect(await attemptAsync(() => evaluate(task))).toMatchObject({
      ok: false,
      error: {
        kind: 'unknown-metric',
        message: `the task ${name} has no metric 'wer'`,
        hint: expect.stringMatching(/^it has .*agreement, sqnr_db$/),
      },
    });
  });

  it('judges by the ratio of the first output where it is told to', async () => {
    const folder = temporaryFolder();
    const at = (atLeast: number) =>
      evaluate(evaluationIn(folder, { budget: { metric: 'sqnr_db', atLeast } }));
    expect(await at(0)).toMatchObject({ metric: 'sqnr_db', verdict: 'non_inferior', top1: 0.75 });
    expect(await at(60)).toMatchObject({ metric: 'sqnr_db', verdict: 'regressed' });
  });

  it('names the file of a label that the model has no class for', async () => {
    const folder = temporaryFolder();
    const path = writeSamples(folder, 'own.npz', ROWS, [0, 1, 2, 1]);
    const task = evaluationIn(folder, { data: { spec: { path }, split: 'eval' } });
    expect(await attemptAsync(() => evaluate(task))).toMatchObject({
      ok: false,
      error: { kind: 'label-out-of-range', place: { file: path, sample: 2 } },
    });
  });

  it('refuses a model of other classes, and one whose outputs are all text', async () => {
    const folder = temporaryFolder();
    const other = writeClassifier(folder, 'other.onnx', [
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const task = evaluationIn(folder);
    const wider = { ...task, candidates: [{ variant: 'other', path: other }] };
    expect(await attemptAsync(() => evaluate(wider))).toMatchObject({
      ok: false,
      error: { kind: 'models-differ', place: { file: other, tensor: 'scores' } },
    });
    const words = join(folder, 'words.onnx');
    const body = graph({
      inputs: [value('x', 'float', ['batch', 2])],
      nodes: [node('Cast', ['x'], ['words'], { to: 8 })],
      outputs: [value('words', 'string', ['batch', 2])],
    });
    unwrap(writeModel(model(body), words));
    const text = { variant: 'words', path: words };
    expect(
      await attemptAsync(() => evaluate({ ...task, reference: text, candidates: [text] })),
    ).toMatchObject({
      ok: false,
      error: { kind: 'output-unsupported', place: { file: words } },
    });
  });

  it.each([
    ['lacks an input', ['z'], 'scores', "has no input 'x', which"],
    ['has an input too many', ['x', 'z'], 'scores', "has an input 'z' that"],
    ['lacks an output', ['x'], 'other', "has no output 'scores', which"],
  ])('refuses a model that %s', async (_what, inputs, output, words) => {
    const folder = temporaryFolder();
    const task = evaluationIn(folder);
    const body = graph({
      inputs: inputs.map((name) => value(name, 'float', ['batch', 2])),
      nodes: [node('Sum', inputs, [output])],
      outputs: [value(output, 'float', ['batch', 2])],
    });
    const path = join(folder, 'ports.onnx');
    unwrap(writeModel(model(body), path));
    const differing = { ...task, candidates: [{ variant: 'ports', path }] };
    expect(await attemptAsync(() => evaluate(differing))).toMatchObject({
      ok: false,
      error: {
        kind: 'models-differ',
        message: expect.stringContaining(words),
        place: { file: path, tensor: expect.any(String) },
      },
    });
  });
});
