import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../src/config/load-profiles.ts';
import { foreignTaskSetting, measuresNumbers, resolveTask, TASK_METRICS } from '../../../src/config/task.ts';
import type { TaskName } from '../../../src/config/task-schema.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const NAMES = Object.keys(TASK_METRICS) as TaskName[];

const HEAD = `name: a
model: m.onnx
data: { path: d.npz }
variants: [{ name: int8, recipe: dynamic-int8 }]
`;

async function load(rest: string, files: readonly string[] = [], head = HEAD) {
  const folder = temporaryFolder();
  for (const name of ['m.onnx', 'd.npz', ...files]) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), '');
  }
  writeFileSync(join(folder, 'profile.yaml'), `${head}${rest}`);
  return { folder, loaded: await loadProfile(folder) };
}

async function profileOf(rest: string, files: readonly string[] = []) {
  const { folder, loaded } = await load(rest, files);
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('; '));
  return { folder, profile: loaded.value };
}

async function problemsOf(rest: string, head = HEAD): Promise<readonly string[]> {
  const { loaded } = await load(rest, [], head);
  if (loaded.ok) throw new Error('expected problems');
  for (const { hint } of loaded.error) expect(hint).toEqual(expect.any(String));
  return loaded.error.map(
    ({ message, place }) => `${place?.line}:${place?.column} ${place?.field} ${message}`,
  );
}

describe('the task of a profile', () => {
  it('is fidelity unless another is named', async () => {
    expect((await profileOf('')).profile.task).toEqual({ name: 'fidelity', settings: {} });
    expect((await profileOf('task: embedding\n')).profile.task).toEqual({ name: 'embedding', settings: {} });
  });

  it('has its settings as they were written, and its paths absolute', async () => {
    const { folder, profile } = await profileOf(
      'task: { name: transcription, vocabulary: v/tokens.txt, normalize: plain }\n',
      ['v/tokens.txt'],
    );
    expect(profile.task).toEqual({
      name: 'transcription',
      settings: { vocabulary: join(folder, 'v/tokens.txt'), normalize: 'plain' },
    });
  });

  it('may list its vocabulary itself', async () => {
    const { profile } = await profileOf("task: { name: transcription, vocabulary: ['', a, b] }\n");
    expect(profile.task.settings).toEqual({ vocabulary: ['', 'a', 'b'] });
  });

  it('may be a module of the user’s own', async () => {
    const { folder, profile } = await profileOf('task: { module: ./own.mjs }\n', ['own.mjs']);
    expect(profile.task).toEqual({ name: 'own', settings: {}, module: join(folder, 'own.mjs') });
  });

  it.each([
    [
      'a module and a name',
      'task: { name: regression, module: own.mjs }\n',
      '5:7 /task a task is either one of the known ones or a module',
    ],
    ['neither', 'task: {}\n', '5:7 /task a task is either one of the known ones or a module'],
    [
      'a setting of another task',
      'task: { name: classification, k: 5 }\n',
      '5:34 /task/k the task classification has no setting "k"',
    ],
    [
      'a setting of a module, which has none',
      'task: { module: own.mjs, output: y }\n',
      '5:34 /task/output the task own has no setting "output"',
    ],
    ['detection without a head', 'task: detection\n', '5:7 /task the task detection needs "head"'],
    [
      'tokens without tags',
      'task: { name: token-classification, spans: none }\n',
      '5:7 /task the task token-classification needs "tags"',
    ],
    [
      'speech without a vocabulary',
      'task: transcription\n',
      '5:7 /task the task transcription needs "vocabulary"',
    ],
  ])('is refused with %s', async (_what, rest, expected) => {
    const found = await problemsOf(rest);
    expect(found.filter((line) => !line.includes('there is no'))).toEqual([expected]);
  });

  it.each([
    ['a word that is none', 'task: { name: clasification }\n', '5:15 /task/name'],
    ['a setting that is none', 'task: { name: embedding, kk: 5 }\n', '5:26 /task/kk'],
    ['a setting out of range', 'task: { name: embedding, k: 0 }\n', '5:29 /task/k'],
  ])('is refused with %s, by its schema', async (_what, rest, expected) => {
    expect((await problemsOf(rest)).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([expected]);
  });
});

describe('the settings of a task', () => {
  it.each(NAMES)('that the schema has for %s are known to it, and to no other that has not', (name) => {
    const own = foreignTaskSetting({ name, settings: { nothing: 1 } as never })?.known ?? [];
    for (const setting of own) {
      expect(foreignTaskSetting({ name, settings: { [setting]: 1 } })).toBeUndefined();
    }
  });

  it('are each known to at least one task', async () => {
    const { TaskSchema } = await import('../../../src/config/task-schema.ts');
    const [, settings] = (TaskSchema as unknown as { anyOf: [unknown, { properties: object }] }).anyOf;
    const written = Object.keys(settings.properties).filter((key) => key !== 'name' && key !== 'module');
    const known = NAMES.flatMap(
      (name) => foreignTaskSetting({ name, settings: { nothing: 1 } as never })?.known ?? [],
    );
    expect([...new Set(known)].sort()).toEqual(written.sort());
  });
});

describe('the budget of a profile', () => {
  it.each([
    ['classification', { absolute: 0.01 }],
    ['fidelity', { absolute: 0.01 }],
    ['regression', { relative: 0.01 }],
  ])('is one point, or one percent of figures with a unit of their own: %s', async (task, budget) => {
    expect((await profileOf(`task: ${task}\n`)).profile.budget).toEqual(budget);
  });

  it('is one percent for a module of the user’s own', async () => {
    const { profile } = await profileOf('task: { module: own.mjs }\n', ['own.mjs']);
    expect(profile.budget).toEqual({ relative: 0.01 });
    expect(NAMES.filter((name) => measuresNumbers({ name }))).toEqual(['regression']);
  });

  it('takes all that can be said', async () => {
    const written =
      'task: segmentation\nbudget: { metric: miou, relative: 0.02, alpha: 0.05, confidence: 0.9 }\n';
    expect((await profileOf(written)).profile.budget).toEqual({
      metric: 'miou',
      relative: 0.02,
      alpha: 0.05,
      confidence: 0.9,
    });
  });

  it.each(NAMES.filter((name) => !['detection', 'token-classification', 'transcription'].includes(name)))(
    'may be given for agreement and the ratio of outputs, whatever the task: %s',
    async (name) => {
      for (const budget of ['{ metric: agreement, absolute: 0.1 }', '{ metric: sqnr_db, atLeast: 20 }'])
        expect((await profileOf(`task: ${name}\nbudget: ${budget}\n`)).profile.budget).toBeDefined();
    },
  );

  it.each([
    [
      'a metric that the task has not',
      'task: classification\nbudget: { metric: wer, absolute: 0.01 }\n',
      '6:19 /budget/metric the task classification has no metric "wer"',
    ],
    [
      'a metric that nobody asks the task for',
      'task: regression\nbudget: { metric: mape, relative: 0.01 }\n',
      '6:19 /budget/metric the task regression has no metric "mape"',
    ],
    [
      'a floor without the metric that it is for',
      'task: classification\nbudget: { metric: top1, atLeast: 20 }\n',
      '6:9 /budget "atLeast" and the metric sqnr_db belong together',
    ],
    [
      'the metric without a floor',
      'budget: { metric: sqnr_db, absolute: 20 }\n',
      '5:9 /budget "atLeast" and the metric sqnr_db belong together',
    ],
  ])('is refused with %s', async (_what, rest, expected) => {
    expect(await problemsOf(rest)).toEqual([expected]);
  });

  it('may be given for mape where it is measured, and for what a module of the user’s own calls its metrics', async () => {
    const mape = 'task: { name: regression, mape: true }\nbudget: { metric: mape, relative: 0.01 }\n';
    expect((await profileOf(mape)).profile.budget.metric).toBe('mape');
    const own = 'task: { module: own.mjs }\nbudget: { metric: my_metric, absolute: 2 }\n';
    expect((await profileOf(own, ['own.mjs'])).profile.budget.metric).toBe('my_metric');
  });
});

describe('files that a profile names', () => {
  it('are named by their field, line and column where they are not there', async () => {
    const head = HEAD.replace(
      'data: { path: d.npz }',
      `data:
  path: d.npz
  labels: { file: labels.csv, masks: masks }
  preprocess: { tokenize: { tokenizer: a.json } }
  inputs: { x/y: { tokenize: { tokenizer: b.json } } }`,
    );
    const rest = 'task: { name: transcription, vocabulary: v.txt }\n';
    expect((await problemsOf(rest, head)).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '5:19 /data/labels/file',
      '5:38 /data/labels/masks',
      '6:40 /data/preprocess/tokenize/tokenizer',
      '7:43 /data/inputs/x~1y/tokenize/tokenizer',
      '9:42 /task/vocabulary',
    ]);
    const modules = HEAD.replace('path: d.npz', 'path: d.npz, preprocess: pre.mjs');
    expect(
      (await problemsOf('task: { module: own.mjs }\n', modules)).map((line) => line.split(' ')[1]),
    ).toEqual(['/data/preprocess', '/task/module']);
  });
});

describe('resolveTask', () => {
  it('leaves what is absolute where it is', () => {
    expect(resolveTask({ module: '/a/own.mjs' }, '/b')).toMatchObject({ module: '/a/own.mjs' });
    expect(resolveTask({ name: 'transcription', vocabulary: '/a/v.txt' }, '/b').settings).toEqual({
      vocabulary: '/a/v.txt',
    });
  });
});
