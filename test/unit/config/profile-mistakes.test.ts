import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../src/config/load-profiles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { folderWith, problemsOf, SHORT, summary } from './profile-folder.ts';

describe('a profile with mistakes', () => {
  it('names a setting that the format of the recipe does not have', async () => {
    const recipe = '{ format: weight-int4, blockSize: 64, perTensor: true }';
    const folder = await folderWith({
      'profile.yaml': SHORT.replace('recipe: static-int8', `recipe: ${recipe}`),
    });
    expect(await loadProfile(folder)).toMatchObject({
      ok: false,
      error: [
        {
          kind: 'invalid-value',
          message: 'the format weight-int4 has no setting "perTensor"',
          place: { field: '/variants/0/recipe/perTensor' },
        },
      ],
    });
  });

  it('names the file that cannot be read', async () => {
    const missing = join(temporaryFolder(), 'nowhere.yaml');
    const result = await loadProfile(missing);
    expect(result).toMatchObject({
      ok: false,
      error: [{ kind: 'profile-not-found', place: { file: missing } }],
    });
  });

  it('points at the line of a model and of data that do not exist', async () => {
    const problems = await problemsOf(SHORT.replace('m.onnx', 'no.onnx').replace('d.npz', 'no.npz'));
    expect(summary(problems)).toEqual(['2:8 /model file-not-found', '3:15 /data/path file-not-found']);
    expect(problems[0]?.message).toMatch(/no model file .*\/no\.onnx$/);
  });

  it('reports all errors at once, in the order of the file, each with line, column and field', async () => {
    const problems = await problemsOf(`name: Digits!
modle: m.onnx
data:
  path: 3
  calibration: { split: calib, samples: 0 }
task: clasification
variants:
  - name: int8
    recipe: static-int4
  - name: other
    recipe: { format: static-int8, perTensor: yes, reduceRange: never, exclude: { optypes: [Softmax] } }
  - recipe: 7
budget:
  metric: top1
bench:
  threads: 1.5
  scenarios:
    - scenario: servr
      duration: 4 seconds
`);
    expect(summary(problems)).toEqual([
      '1:1 /model missing-field',
      '1:7 /name invalid-value',
      '2:1 /modle unknown-field',
      '4:9 /data/path invalid-value',
      '5:41 /data/calibration/samples invalid-value',
      '6:7 /task invalid-value',
      '9:13 /variants/0/recipe invalid-value',
      '11:47 /variants/1/recipe/perTensor invalid-value',
      '11:65 /variants/1/recipe/reduceRange invalid-value',
      '11:83 /variants/1/recipe/exclude/optypes unknown-field',
      '12:5 /variants/2/name missing-field',
      '12:13 /variants/2/recipe invalid-value',
      '14:3 /budget invalid-value',
      '16:12 /bench/threads invalid-value',
      '18:17 /bench/scenarios/0/scenario invalid-value',
      '19:17 /bench/scenarios/0/duration invalid-value',
    ]);
    expect(problems.map(({ message, hint }) => `${message} | ${hint}`)).toEqual([
      'the field "model" is missing | add it: the ONNX file, absolute or relative to this file',
      expect.stringContaining(`"name" is "Digits!", which is not of the form`),
      'there is no field "modle" | did you mean "model"?',
      expect.stringContaining('"path" must be a string, but is 3'),
      expect.stringContaining('"samples" is 0, but must be >= 1'),
      expect.stringMatching(
        /^"task" must be "fidelity", "classification".* \| did you mean "classification"\?$/,
      ),
      '"recipe" must be "static-int8", "static-int16", "dynamic-int8", "weight-int8", "weight-int4", "float16", "auto" or an object, ' +
        'but is "static-int4" | did you mean "static-int8"?',
      expect.stringContaining('"perTensor" must be a boolean, but is "yes"'),
      expect.stringContaining('"reduceRange" must be a boolean or "auto", but is "never"'),
      'there is no field "optypes" | did you mean "opTypes"?',
      expect.stringContaining('the field "name" is missing | add it: the variant\'s name'),
      expect.stringContaining('"float16", "auto" or an object, but is 7'),
      expect.stringContaining('"budget" must give exactly one of: absolute, relative, atLeast'),
      expect.stringContaining('"threads" must be an integer, but is 1.5'),
      '"scenario" is "servr", but must be one of: single-stream, multi-stream, server, offline, closed-loop, ' +
        'constant-rate, ramp, replay | did you mean "server"?',
      expect.stringContaining('such as 500ms, 4s, 2m or 1h'),
    ]);
  });

  it('reports more errors than the eight at which its validator stops by default', async () => {
    const bad = Array.from({ length: 30 }, (_, index) => `extra${index}: 1`).join('\n');
    expect(await problemsOf(`${SHORT}${bad}\n`)).toHaveLength(30);
  });

  it('refuses a budget that is both absolute and relative', async () => {
    const budget = 'budget: { metric: agreement, absolute: 0.01, relative: 0.01 }\n';
    const problems = await problemsOf(SHORT + budget);
    expect(summary(problems)).toEqual(['6:9 /budget invalid-value']);
    expect(problems[0]?.message).toBe('"budget" must give exactly one of: absolute, relative, atLeast');
  });

  it('refuses what no schema can say: clashing names, durations of nothing, top1 without labels', async () => {
    const problems = await problemsOf(`${SHORT}  - { name: int8, recipe: static-int8 }
  - { name: fp32, recipe: static-int8 }
budget: { metric: top1, absolute: 0.01 }
bench:
  scenarios: [{ scenario: offline, duration: 0s }, { scenario: offline }]
`);
    expect(summary(problems)).toEqual([
      '6:13 /variants/1/name invalid-value',
      '7:13 /variants/2/name invalid-value',
      '8:19 /budget/metric invalid-value',
      '10:46 /bench/scenarios/0/duration invalid-value',
      '10:64 /bench/scenarios/1/scenario invalid-value',
    ]);
  });

  it('points at a suite that is not there, at one that is named twice, and into one that is wrong', async () => {
    const folder = await folderWith({
      'profile.yaml': `${SHORT}bench:
  scenarios: [{ scenario: replay, trace: { file: none.jsonl } }]
  suites: [smoek, ./bad.yaml, smoke, smoke]
`,
      'bad.yaml': 'name: bad\nmeasurements:\n  - { scenario: offline, rate: 4 }\n',
    });
    const result = await loadProfile(folder);
    if (result.ok) throw new Error('expected problems');
    const shown = result.error.map(({ message, hint, place }) => [
      `${place?.file?.slice(folder.length + 1)}:${place?.line}`,
      message,
      hint,
    ]);
    expect(shown).toEqual([
      ['bad.yaml:3', 'the scenario offline has no setting "rate"', expect.stringContaining('it has name,')],
      ['profile.yaml:7', expect.stringMatching(/^there is no .*none.jsonl$/), expect.any(String)],
      ['profile.yaml:8', "there is no suite named 'smoek'", 'did you mean "smoke"?'],
      ['profile.yaml:8', 'there are two suites named "smoke"', 'keep one of the two'],
    ]);
  });

  it('reports a repeated key together with the other errors', async () => {
    const problems = await problemsOf(`${SHORT}name: tiny2\ntask: none\n`);
    expect(summary(problems)).toEqual(['6:1 - duplicate-field', '7:7 /task invalid-value']);
    expect(problems[0]?.message).toBe('the field "name" is given twice');
  });

  it.each([
    ['a bracket that is left open', 'name: [tiny\nmodel: m.onnx\n', 2],
    ['a tab as indentation', 'name: tiny\ndata:\n\tpath: d.npz\n', 3],
    ['a second document', 'name: tiny\n---\nname: other\n', 2],
    ['an unknown tag', 'name: !secret tiny\n', 1],
    ['an alias without its anchor', 'name: *tiny\n', 1],
    ['a key that is no string', '? [a, b]\n: 1\n', 1],
  ])('names the line of %s', async (_what, text, line) => {
    const problems = await problemsOf(text);
    expect(problems[0]).toMatchObject({ kind: 'yaml-syntax', place: { line } });
  });

  it.each([
    ['an empty file', ''],
    ['a list', '- name: tiny\n'],
    ['a text', 'tiny\n'],
  ])('refuses %s', async (_what, text) => {
    const [first, ...rest] = await problemsOf(text);
    expect(rest).toEqual([]);
    expect(first?.message).toMatch(/^the file must be an object, but is (empty|a list|"tiny")$/);
  });

  it('says "a list" where a list is missing', async () => {
    const messages = (await problemsOf('variants: 3\n')).map(({ message }) => message);
    expect(messages).toContain('"variants" must be a list, but is 3');
  });

  it('refuses an alias bomb instead of expanding it', async () => {
    const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    const problems = await problemsOf(`a0: &a0 [1]\n${levels.join('\n')}\n`);
    expect(problems).toMatchObject([{ kind: 'yaml-syntax' }]);
  });
});
