import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUNDLED_SUITES, loadSuite, type SuiteProblem } from '../../../src/config/load-suite.ts';
import type { Suite } from '../../../src/config/suite.ts';
import { suiteJsonSchema } from '../../../src/config/suite-schema.ts';
import type { Result } from '../../../src/core/result.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PUBLISHED = join(import.meta.dirname, '../../../profiles/suite.schema.json');

function load(text: string, files: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries({ 'suite.yaml': text, ...files }))
    writeFileSync(join(folder, name), content);
  return loadSuite('./suite.yaml', { folder, folders: [] });
}

function loaded(result: Result<Suite, readonly SuiteProblem[]>): Suite {
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join(', '));
  return result.value;
}

/** `line: message | hint` of every problem. */
async function problemsOf(text: string): Promise<readonly string[]> {
  const result = await load(text);
  if (result.ok) throw new Error('expected problems');
  return result.error.map(
    ({ message, hint, place }) => `${place?.line} ${place?.field}: ${message} | ${hint}`,
  );
}

describe('the words of suites', () => {
  it('are published as a JSON Schema (UPDATE_GOLDEN=1 writes it)', () => {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PUBLISHED, suiteJsonSchema);
    expect(readFileSync(PUBLISHED, 'utf8')).toBe(suiteJsonSchema);
  });
});

describe('loadSuite', () => {
  it('finds the suites that come with this program by their names', async () => {
    const names = readdirSync(BUNDLED_SUITES).map((file) => file.replace('.yaml', ''));
    expect(names.sort()).toEqual(['mlperf-like', 'smoke', 'standard']);
    for (const name of names) {
      const suite = loaded(await loadSuite(name, { folder: '/', folders: [BUNDLED_SUITES] }));
      expect(suite.name).toBe(name);
    }
  });

  it('takes the first folder that has a name, and a path for a path', async () => {
    const folder = temporaryFolder();
    for (const [place, description] of [
      ['near', 'the near one'],
      ['far', 'the far one'],
    ] as const) {
      mkdirSync(join(folder, place));
      const text = `name: smoke\ndescription: ${description}\nmeasurements: [{ scenario: offline }]\n`;
      writeFileSync(join(folder, place, 'smoke.yaml'), text);
    }
    const folders = [join(folder, 'near'), join(folder, 'far')];
    const byName = await loadSuite('smoke', { folder, folders });
    expect(byName).toMatchObject({ ok: true, value: { description: 'the near one' } });
    const byPath = await loadSuite('far/smoke.yaml', { folder, folders });
    expect(byPath).toMatchObject({ ok: true, value: { description: 'the far one' } });
  });

  it('reads data of its own with its digest, limits, and every kind of measurement', async () => {
    const digest = 'a'.repeat(64);
    const text = `name: nightly
inputs: { path: d.npz, split: test, digest: 'sha256:${digest}' }
measurements:
  - { scenario: multi-stream, samplesPerQuery: 4, concurrency: 2 }
  - { scenario: ramp, rampFrom: 0, rate: 50, seed: 7, threads: 0, batch: 2, rounds: 6, grace: 5s }
limits: { maxDuration: 2m, maxOtherCpuCores: 0.5 }
`;
    const result = loaded(await load(text, { 'd.npz': '' }));
    expect(result).toMatchObject({
      inputs: { set: { path: expect.stringMatching(/\/d\.npz$/) }, split: 'test', digest },
      measurements: [
        { name: 'multi-stream', samplesPerQuery: 4, concurrency: 2 },
        {
          name: 'ramp',
          rampFromPerSecond: 0,
          ratePerSecond: 50,
          seed: 7,
          threads: 0,
          batch: 2,
          rounds: 6,
          graceSeconds: 5,
        },
      ],
      limits: { maxDurationSeconds: 120, maxOtherCpuCores: 0.5 },
    });
  });

  it('pins the data of whoever runs it by a digest alone', async () => {
    const digest = 'b'.repeat(64);
    const suite = loaded(
      await load(`name: x\ninputs: { digest: sha256:${digest} }\nmeasurements: [{ scenario: offline }]\n`),
    );
    expect(suite.inputs).toEqual({ digest });
  });

  it('reports all that is wrong at once, with line, field and what was probably meant', async () => {
    expect(
      await problemsOf(`name: nightly
measurments: []
measurements:
  - { scenario: ofline, preset: fast }
  - { scenario: server, rat: 4, concurrency: 0 }
inputs: { digest: 1234 }
`),
    ).toEqual([
      '2 /measurments: there is no field "measurments" | did you mean "measurements"?',
      expect.stringContaining('4 /measurements/0/scenario: "scenario" is "ofline"'),
      expect.stringContaining(
        '4 /measurements/0/preset: "preset" is "fast", but must be one of: quick, standard, mlperf',
      ),
      '5 /measurements/1/rat: there is no field "rat" | did you mean "rate"?',
      expect.stringContaining('5 /measurements/1/concurrency: "concurrency" is 0, but must be >= 1'),
      expect.stringContaining('6 /inputs/digest: "digest" must be a string, but is 1234'),
    ]);
  });

  it.each([
    [
      'a setting of another scenario',
      '{ scenario: offline, rate: 4 }',
      'the scenario offline has no setting "rate"',
    ],
    ['lanes in single-stream', '{ scenario: single-stream, concurrency: 2 }', 'closed-loop keeps several'],
    [
      'a duration of a replay',
      '{ scenario: replay, duration: 4s, trace: { file: . } }',
      'no setting "duration"',
    ],
    ['a replay of nothing', '{ scenario: replay }', 'a replay needs a "trace"'],
    ['two rates', '{ scenario: server, rate: 4, rateShare: 0.5 }', 'keep one of the two'],
    ['two speeds', '{ scenario: replay, trace: { file: ., speed: 2, rate: 5 } }', 'both say how fast'],
    ['a window backwards', '{ scenario: replay, trace: { file: ., from: 2s, to: 1s } }', 'not after "from"'],
    ['no time at all', '{ scenario: offline, duration: 0s }', 'must be more than zero'],
    [
      'less time than is needed',
      '{ scenario: offline, duration: 2s, maxDuration: 1s }',
      'less than the duration',
    ],
    ['a percentile without a bound', '{ scenario: server, percentile: 99 }', 'is judged by a bound'],
    ['too fine a percentile', '{ scenario: server, latencyBound: 1s, percentile: 99.99 }', 'must be <= 99.9'],
    ['a crooked percentile', '{ scenario: server, latencyBound: 1s, percentile: 95.55 }', 'no step of 0.1'],
    ['one scenario twice', '{ scenario: offline }\n  - { scenario: offline }', 'is given twice'],
    ['one name twice', '{ scenario: offline, name: a }\n  - { scenario: server, name: a }', 'named "a"'],
  ])('refuses %s', async (_what, measurement, words) => {
    const problems = await problemsOf(`name: x\nmeasurements:\n  - ${measurement}\n`);
    expect(problems).toEqual([expect.stringContaining(words)]);
  });

  it('takes one scenario twice under two names', async () => {
    const measurements = '[{ scenario: server, rate: 4 }, { name: busy, scenario: server, rate: 8 }]';
    const suite = loaded(await load(`name: x\nmeasurements: ${measurements}\n`));
    expect(suite.measurements.map(({ name }) => name)).toEqual(['server', 'busy']);
  });

  it('refuses the name of the scenarios in a profile, and limits of nothing', async () => {
    const text = 'name: profile\nmeasurements: [{ scenario: offline }]\nlimits: { maxDuration: 0s }\n';
    expect(await problemsOf(text)).toEqual([
      expect.stringContaining('the suite name "profile" is that of the scenarios in a profile'),
      expect.stringContaining('"maxDuration" is "0s", but must be more than zero'),
    ]);
  });

  it('points at data and traces that are not there', async () => {
    const text =
      'name: x\ninputs: { path: no.npz }\nmeasurements:\n  - { scenario: replay, trace: { file: no.jsonl } }\n';
    expect(await problemsOf(text)).toEqual([
      expect.stringMatching(/^2 \/inputs\/path: there is no .*\/no.npz/),
      expect.stringMatching(/^4 \/measurements\/0\/trace\/file: there is no .*\/no.jsonl/),
    ]);
  });

  it('says where a suite would be found that it does not find', async () => {
    const places = { folder: temporaryFolder(), folders: [BUNDLED_SUITES] };
    expect(await loadSuite('standrad', places)).toMatchObject({
      ok: false,
      error: [{ kind: 'suite-not-found', hint: 'did you mean "standard"?' }],
    });
    expect(await loadSuite('nightly', places)).toMatchObject({
      ok: false,
      error: [{ hint: expect.stringContaining('mlperf-like, smoke, standard; a file is named by its path') }],
    });
    expect(await loadSuite('./none.yaml', places)).toMatchObject({
      ok: false,
      error: [{ kind: 'suite-not-found', message: 'the suite cannot be read (ENOENT)' }],
    });
  });
});
