import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { attemptAsync } from '../../../src/core/problem.ts';
import type { NamedTensors } from '../../../src/core/tensor.ts';
import { buildFeeds } from '../../../src/jobs/bench-feeds.ts';
import { evaluateModels } from '../../../src/jobs/evaluate-models.ts';
import type { EvaluateTask } from '../../../src/jobs/evaluate-task.ts';
import { generateFeeds } from '../../../src/jobs/generated-feeds.ts';
import type { QuantizeTask } from '../../../src/jobs/quantize-task.ts';
import { selfCheck } from '../../../src/jobs/self-check.ts';
import { completeRecipe } from '../../../src/quantization/recipe.ts';
import { openBareSession, toTensors } from '../../../src/runtime/bare-session.ts';
import { FEEDBACK, writeRecurrentData, writeRecurrentModel } from '../../support/recurrent-model.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const context = { clock: systemClock, emit: () => {} };

/** Compares the model that adds up with one that forgets nothing or, by `gain`, something. */
async function evaluate(gain: number, more: Partial<EvaluateTask> = {}, sequence?: readonly number[]) {
  const folder = temporaryFolder();
  const task: EvaluateTask = {
    kind: 'evaluate',
    reference: { variant: 'fp32', path: writeRecurrentModel(folder, 'reference.onnx') },
    candidates: [{ variant: 'other', path: writeRecurrentModel(folder, 'candidate.onnx', gain) }],
    data: { spec: { path: writeRecurrentData(folder, 4, sequence) }, split: 'eval' },
    task: { name: 'fidelity', settings: {} },
    budget: {},
    threads: 1,
    states: [FEEDBACK],
    ...more,
  };
  const [result] = await evaluateModels(task, context);
  if (result === undefined) throw new Error('nothing was evaluated');
  return result;
}

/** Signal to noise over sums (both elements alike), in dB. */
function decibels(reference: readonly number[], candidate: readonly number[]): number {
  const energy = (values: readonly number[]) => values.reduce((sum, value) => sum + value ** 2, 0);
  return (
    10 * Math.log10(energy(reference) / energy(reference.map((value, i) => value - (candidate[i] ?? 0))))
  );
}

describe('evaluating a recurrent model', () => {
  it('finds a model identical to itself over a sequence', async () => {
    expect(await evaluate(1)).toMatchObject({ n: 4, identical: true });
  });

  it('lets the reference and the candidate carry states of their own', async () => {
    // One adds up 1, 2, 3, 4; the other, which forgets, gives them back.
    expect((await evaluate(0)).sqnrDb).toBeCloseTo(decibels([1, 3, 6, 10], [1, 2, 3, 4]), 4);
  });

  it('starts anew with every sequence', async () => {
    expect((await evaluate(0, {}, [0, 0, 1, 1])).sqnrDb).toBeCloseTo(decibels([1, 3, 3, 7], [1, 2, 3, 4]), 4);
  });

  it('names the state that is not carried', async () => {
    expect(await attemptAsync(() => evaluate(1, { states: [] }))).toMatchObject({
      ok: false,
      error: { kind: 'input-missing', hint: expect.stringContaining('--state stateN=state') },
    });
  });
});

describe('checking a quantized recurrent model', () => {
  function taskIn(folder: string, gain: number, more: Partial<QuantizeTask> = {}): QuantizeTask {
    return {
      kind: 'quantize',
      modelPath: writeRecurrentModel(folder, 'original.onnx'),
      outputPath: writeRecurrentModel(folder, 'quantized.onnx', gain),
      recipe: completeRecipe({ format: 'dynamic-int8' }),
      threads: 1,
      states: [FEEDBACK],
      ...more,
    };
  }

  it('carries the states on data', async () => {
    const folder = temporaryFolder();
    const data = { spec: { path: writeRecurrentData(folder, 4) }, split: 'calib' };
    const check = await selfCheck(taskIn(folder, 0, { data }), context);
    expect(check).toMatchObject({ on: 'data', samples: 4 });
    expect(check.sqnrDb).toBeCloseTo(decibels([1, 3, 6, 10], [1, 2, 3, 4]), 4);
  });

  it('runs a second, made-up step with the state of the first', async () => {
    const folder = temporaryFolder();
    expect(await selfCheck(taskIn(folder, 1), context)).toEqual({
      on: 'generated',
      samples: 2,
      sqnrDb: null,
    });
    // Only in the second step does the state differ from zero, and with it the one that forgets from the other.
    expect((await selfCheck(taskIn(folder, 0), context)).sqnrDb).toBeCloseTo(decibels([1, 2], [1, 1]), 4);
  });

  it('says which state the model does not have', async () => {
    const task = taskIn(temporaryFolder(), 1, { states: [{ output: 'y', input: 'hidden' }] });
    expect(await attemptAsync(() => selfCheck(task, context))).toMatchObject({
      ok: false,
      error: { kind: 'state-invalid', place: { tensor: 'hidden' } },
    });
  });
});

describe('generateFeeds', () => {
  it('starts a carried state from zeros of the dimensions that are given', () => {
    const state = { name: 's', type: 'float32', dims: [2, 'n'] } as const;
    const states = [{ output: 'sn', input: 's', dims: [2, 3] }];
    expect(generateFeeds([state], { states, modelOutputs: [{ ...state, name: 'sn' }] })).toEqual({
      s: { type: 'float32', dims: [2, 3], data: new Float32Array(6) },
    });
  });
});

describe('the feeds of a recurrent model in a benchmark', () => {
  it('hold the states that the samples before them lead to', async () => {
    const folder = temporaryFolder();
    const data = { spec: { path: writeRecurrentData(folder, 4) }, split: 'eval' };
    const session = unwrap(openBareSession(writeRecurrentModel(folder), { intraOpThreads: 1 }));
    const model = { ...session, run: (feeds: NamedTensors) => toTensors(session.prepare(feeds)()) };
    const feeds = await buildFeeds({ data, states: [FEEDBACK], batch: 1 }, model);
    expect(feeds).toHaveLength(4);
    const outputs = model.run(feeds[2] as NamedTensors);
    expect(feeds[3]?.[FEEDBACK.input]).toEqual(outputs[FEEDBACK.output]);
    expect(await attemptAsync(() => buildFeeds({ data, batch: 1 }, model))).toMatchObject({
      ok: false,
      error: { kind: 'input-missing' },
    });
    expect(await attemptAsync(() => buildFeeds({ data, states: [FEEDBACK], batch: 2 }, model))).toMatchObject(
      {
        ok: false,
        error: { kind: 'batch-not-supported' },
      },
    );
  });
});
