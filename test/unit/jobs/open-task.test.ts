import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { knownMetrics, type ProfileTask, TASK_METRICS } from '../../../src/config/task.ts';
import type { TaskName } from '../../../src/config/task-schema.ts';
import { attemptAsync } from '../../../src/core/problem.ts';
import { openTask } from '../../../src/jobs/open-task.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const OWN_MODULE = join(import.meta.dirname, '../../fixtures/own-task/median-error.mjs');

/** The fewest settings with which a task can be made, and measures all that it can. */
const SETTINGS: Readonly<Partial<Record<TaskName, ProfileTask['settings']>>> = {
  regression: { mape: true },
  detection: { head: 'yolov8' },
  'token-classification': { tags: ['O', 'B-PER', 'I-PER'] },
  transcription: { vocabulary: ['<pad>', '|', 'a'] },
};

function metricsOf(task: Awaited<ReturnType<typeof openTask>>): readonly string[] {
  return task?.metrics.map(({ name }) => name) ?? [];
}

describe('the tasks that a profile can name', () => {
  it.each(Object.keys(TASK_METRICS) as TaskName[])(
    'have the metrics that budgets may be given for, in that order: %s',
    async (name) => {
      const settings = SETTINGS[name] ?? {};
      const task = await openTask({ name, settings }, ['out']);
      expect(task?.name ?? 'fidelity').toBe(name);
      expect(metricsOf(task)).toEqual(TASK_METRICS[name]);
      expect(knownMetrics({ name, settings })).toEqual([...TASK_METRICS[name], 'agreement', 'sqnr_db']);
    },
  );

  it.each([
    ['regression', {}],
    ['token-classification', { tags: ['DET', 'NOUN'], spans: 'none' }],
  ] as const)('have no others where the settings leave some out: %s', async (name, settings) => {
    const found = metricsOf(await openTask({ name, settings }, ['out']));
    expect(found.length).toBeLessThan(TASK_METRICS[name].length);
    expect(knownMetrics({ name, settings: settings as ProfileTask['settings'] })).toEqual([
      ...found,
      'agreement',
      'sqnr_db',
    ]);
  });

  it('can all be made from JSON, as they come to a worker', async () => {
    for (const name of Object.keys(TASK_METRICS) as TaskName[]) {
      const sent = JSON.parse(JSON.stringify({ name, settings: SETTINGS[name] ?? {} })) as ProfileTask;
      expect(metricsOf(await openTask(sent, ['out']))).toEqual(TASK_METRICS[name]);
    }
  });

  it('say what is wrong with settings before anything is run', async () => {
    const settings = { head: 'yolov3', levels: [] };
    expect(await attemptAsync(() => openTask({ name: 'detection', settings }, ['out']))).toMatchObject({
      ok: false,
      error: { kind: 'task-settings-invalid' },
    });
  });
});

describe('the vocabulary of a transcription', () => {
  async function vocabularyOf(name: string, text: string) {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, text);
    return attemptAsync(async () => {
      const task = await openTask({ name: 'transcription', settings: { vocabulary: path } }, ['ids']);
      // The ids of all tokens that a text can have, in turn.
      const ids = { type: 'int64', dims: [1, 3], data: BigInt64Array.from([0n, 1n, 2n]) } as const;
      const answer = task?.answer({ ids }, { index: 0 });
      return answer?.ok === true ? task?.show(answer.value) : answer;
    });
  }

  it.each([
    ['a line each', 'v.txt', 'a\n|\nb\n'],
    ['a line each, without an end of the last', 'v.txt', 'a\n|\nb'],
    ['lines as Windows ends them', 'v.txt', 'a\r\n|\r\nb\r\n'],
    ['a mark of the byte order before it', 'v.txt', '\uFEFFa\n|\nb\n'],
    ['a list in JSON', 'v.json', '["a", "|", "b"]'],
    ['positions in JSON, in any order', 'v.json', '{ "b": 2, "|": 1, "a": 0 }'],
  ])('is read from %s', async (_what, name, text) => {
    expect(await vocabularyOf(name, text)).toMatchObject({
      ok: true,
      value: expect.stringMatching(/^\W?a b\W?$/),
    });
  });

  it.each([
    ['is no JSON', 'v.json', '["a", ', 'not valid JSON'],
    ['is a number', 'v.json', '7', 'neither a list nor an object'],
    ['is null', 'v.json', 'null', 'neither a list nor an object'],
    ['lists numbers', 'v.json', '["a", 1]', 'entry 1 of the vocabulary is 1, not a text'],
    ['lists numbers that could be positions', 'v.json', '[0, 1]', 'entry 0 of the vocabulary is 0'],
    [
      'has a gap',
      'v.json',
      '{ "a": 0, "b": 2 }',
      "the position of the token 'b' is 2, but there are 2 tokens",
    ],
    ['has a position twice', 'v.json', '{ "a": 0, "b": 0 }', "'a' and 'b' have one position, 0"],
    ['has half a position', 'v.json', '{ "a": 0, "b": 0.5 }', 'is 0.5'],
    ['has a position as text', 'v.json', '{ "a": 0, "b": "1" }', 'is "1"'],
    ['has a negative position', 'v.json', '{ "a": 0, "b": -1 }', 'is -1'],
    ['is empty', 'v.txt', '', 'holds 1 tokens'],
    ['is an empty list', 'v.json', '[]', 'holds 0 tokens'],
  ])('is refused where it %s', async (_what, name, text, words) => {
    expect(await vocabularyOf(name, text)).toMatchObject({
      ok: false,
      error: {
        kind: 'vocabulary-invalid',
        message: expect.stringContaining(words),
        place: { file: expect.stringContaining(name) },
        hint: expect.stringContaining('one token a line'),
      },
    });
  });

  it('is named where it is not there', async () => {
    const settings = { vocabulary: '/nowhere/v.txt' };
    expect(await attemptAsync(() => openTask({ name: 'transcription', settings }, ['ids']))).toMatchObject({
      ok: false,
      error: { kind: 'vocabulary-invalid', message: expect.stringContaining('ENOENT') },
    });
  });
});

describe("a task of the user's own", () => {
  const open = (module: string) =>
    attemptAsync(() => openTask({ name: 'own', settings: {}, module }, ['estimate']));

  function moduleOf(text: string, name = 'own.mjs'): string {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, text);
    return path;
  }

  it('is loaded from its module, and measures', async () => {
    const task = await openTask({ name: 'own', settings: {}, module: OWN_MODULE }, ['estimate']);
    const answers = [3, 5, 10].map((value, index) => {
      const estimate = { type: 'float32', dims: [1], data: new Float32Array([value]) } as const;
      const truth = { kind: 'tensor', dims: [], values: [2] } as const;
      const answer = task?.answer({ estimate }, { index, truth });
      return answer?.ok === true ? answer.value : undefined;
    });
    expect(task?.metrics).toEqual([
      { name: 'median_error', label: 'median error', better: 'lower', unit: 'number' },
    ]);
    expect(task?.measure(answers, answers)()).toEqual({ median_error: 3 });
  });

  it.each([
    ['breaks off', 'export const metrics = [', 'own.mjs', 'cannot be loaded'],
    ['throws', 'throw new Error("no licence");', 'own.mjs', 'no licence'],
    ['throws a text', 'throw "no licence";', 'own.mjs', 'no licence'],
    ['exports nothing', 'const x = 1;', 'own.mjs', 'exports nothing'],
    ['lacks a function', 'export const metrics = [{ name: "a", better: "lower" }];', 'own.mjs', "'answer'"],
    ['is no JavaScript', 'def answer(outputs): pass', 'own.mjs', 'cannot be loaded'],
  ])('is refused where its module %s', async (_what, text, name, words) => {
    const path = moduleOf(text, name);
    expect(await open(path)).toMatchObject({
      ok: false,
      error: { kind: 'task-module-invalid', message: expect.stringContaining(words), place: { file: path } },
    });
  });

  it('is named where its module is not there', async () => {
    expect(await open('/nowhere/own.mjs')).toMatchObject({
      ok: false,
      error: { kind: 'task-module-invalid', place: { file: '/nowhere/own.mjs' }, hint: expect.any(String) },
    });
  });
});
