import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProfile, loadProfiles } from '../../../src/config/load-profiles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { folderWith, problemsOf, SHORT, summary } from './profile-folder.ts';

const FULL = `# yaml-language-server: $schema=../profile.schema.json
name: digits
model: m.onnx
data:
  path: d.npz
  calibration: { split: train, samples: 64 }
  evaluation: { split: test, samples: 500 }
task: classification
variants:
  - name: int8
    recipe: static-int8
  - name: int8-per-tensor
    recipe:
      format: static-int8
      calibration: { method: minmax, samples: 32 }
      perTensor: true
      reduceRange: true
      exclude: { opTypes: [Softmax], nodes: [/fc/*] }
budget: { metric: top1, relative: 0.02 }
bench:
  threads: 2
  scenarios:
    - { scenario: single-stream, duration: 500ms }
    - { scenario: offline, duration: 1.5m }
`;

describe('loadProfile', () => {
  it('fills in every default of a short profile and makes its paths absolute', async () => {
    const folder = await folderWith({ 'profile.yaml': SHORT });
    expect(await loadProfile(folder)).toEqual({
      ok: true,
      value: {
        file: join(folder, 'profile.yaml'),
        name: 'tiny',
        model: join(folder, 'm.onnx'),
        data: {
          set: { path: join(folder, 'd.npz') },
          calibration: { split: 'calib', samples: 256 },
          evaluation: { split: 'eval' },
        },
        task: { name: 'fidelity', settings: {} },
        variants: [
          {
            name: 'int8',
            recipe: { format: 'static-int8', calibration: { samples: 256 } },
          },
        ],
        budget: { absolute: 0.01 },
        bench: {
          threads: 1,
          scenarios: [
            { name: 'single-stream', scenario: 'single-stream', preset: 'quick' },
            { name: 'offline', scenario: 'offline', preset: 'quick' },
          ],
          suites: [],
        },
        schedule: { jitterSeconds: 0, onChange: true },
      },
    });
  });

  it('takes what to trace, by default all of it, and measurements by the names that it has', async () => {
    const all = { queries: 50, calibration: true, evaluation: true };
    const traceOf = async (written: string) => {
      const loaded = await loadProfile(await folderWith({ 'profile.yaml': `${SHORT}trace: ${written}\n` }));
      return loaded.ok ? loaded.value.trace : loaded.error;
    };
    expect(await traceOf('true')).toEqual(all);
    expect(await traceOf('false')).toBeUndefined();
    expect(await traceOf('{ queries: 7, evaluation: false, measurements: [profile/offline] }')).toEqual({
      queries: 7,
      calibration: true,
      evaluation: false,
      measurements: ['profile/offline'],
    });
    expect(await traceOf('{ measurements: [profile, standard] }')).toMatchObject([
      {
        kind: 'invalid-value',
        message: 'the profile has no suite or measurement "standard"',
        place: { field: '/trace/measurements/1', line: 6 },
        hint: 'it has profile, profile/single-stream, profile/offline',
      },
    ]);
    expect(await traceOf('{ queries: 0 }')).toMatchObject([{ place: { line: 6 } }]);
  });

  it('takes the states of a recurrent model, and names what is wrong with one', async () => {
    const withStates = (states: string) =>
      SHORT.replace('{ path: d.npz }', `{ path: d.npz, states: ${states} }`);
    const text = withStates('[{ output: hn, input: h }, { output: cn, input: c, dims: [2, 1, 64] }]');
    expect(await loadProfile(await folderWith({ 'profile.yaml': text }))).toMatchObject({
      ok: true,
      value: {
        data: {
          states: [
            { output: 'hn', input: 'h' },
            { output: 'cn', input: 'c', dims: [2, 1, 64] },
          ],
        },
      },
    });
    const problems = await problemsOf(withStates('[{ output: hn }]'));
    expect(summary(problems)).toEqual(['3:31 /data/states/0/input missing-field']);
    expect(await problemsOf(withStates('[{ output: hn, input: h, dims: [-1] }]'))).toMatchObject([
      { kind: 'invalid-value', place: { field: '/data/states/0/dims/0' } },
    ]);
  });

  it('takes every setting of a full profile, named by its file', async () => {
    const folder = await folderWith({ 'digits.yaml': FULL });
    const result = await loadProfile(join(folder, 'digits.yaml'));
    expect(result.ok && result.value).toMatchObject({
      data: { calibration: { split: 'train', samples: 64 }, evaluation: { split: 'test', samples: 500 } },
      task: { name: 'classification', settings: {} },
      variants: [
        { name: 'int8', recipe: { calibration: { samples: 64 } } },
        {
          name: 'int8-per-tensor',
          recipe: {
            calibration: { method: 'minmax', samples: 32 },
            perTensor: true,
            reduceRange: true,
            exclude: { opTypes: ['Softmax'], nodes: ['/fc/*'] },
          },
        },
      ],
      budget: { metric: 'top1', relative: 0.02 },
      bench: {
        threads: 2,
        scenarios: [
          { scenario: 'single-stream', durationSeconds: 0.5 },
          { scenario: 'offline', durationSeconds: 90 },
        ],
      },
    });
  });

  it('allows one percentage point without a budget', async () => {
    const folder = await folderWith({ 'profile.yaml': `${SHORT}task: classification\n` });
    const result = await loadProfile(folder);
    expect(result.ok && result.value.budget).toEqual({ absolute: 0.01 });
  });

  it('takes every setting of a measurement, and the suites that it names', async () => {
    const folder = await folderWith({
      'profile.yaml': `${SHORT}bench:
  scenarios:
    - { scenario: server, rate: 40, latencyBound: 50ms, percentile: 99.9, concurrency: 2 }
    - { name: busy, scenario: server, rateShare: 0.9, preset: standard }
    - { scenario: replay, trace: { file: t.jsonl, speed: 2, from: 1s, to: 2m, loop: 3 } }
  suites: [smoke, ./own.yaml, nightly]
`,
      't.jsonl': '',
      'own.yaml': 'name: own\nmeasurements: [{ scenario: offline }]\n',
      'suites/nightly.yaml': 'name: nightly\nmeasurements: [{ scenario: offline }]\n',
    });
    const result = await loadProfile(folder);
    expect(result).toMatchObject({ ok: true });
    if (!result.ok) return;
    const { scenarios, suites } = result.value.bench;
    expect(scenarios).toEqual([
      {
        name: 'server',
        scenario: 'server',
        preset: 'quick',
        ratePerSecond: 40,
        latencyBoundSeconds: 0.05,
        percentile: 99.9,
        concurrency: 2,
      },
      { name: 'busy', scenario: 'server', preset: 'standard', rateShare: 0.9 },
      {
        name: 'replay',
        scenario: 'replay',
        preset: 'quick',
        trace: { file: join(folder, 't.jsonl'), speed: 2, fromSeconds: 1, toSeconds: 120, loop: 3 },
      },
    ]);
    expect(suites.map(({ name }) => name)).toEqual(['smoke', 'own', 'nightly']);
  });

  it('has no scenarios of its own where it names suites alone', async () => {
    const folder = await folderWith({ 'profile.yaml': `${SHORT}bench: { suites: [standard] }\n` });
    const result = await loadProfile(folder);
    expect(result).toMatchObject({ ok: true, value: { bench: { scenarios: [] } } });
  });
});

describe('loadProfiles', () => {
  it('reads every *.yaml and every */profile.yaml, in the order of their names', async () => {
    const dir = await folderWith({
      'b.yaml': SHORT.replace('tiny', 'b'),
      'a/profile.yaml': SHORT.replace('tiny', 'a'),
      'a/m.onnx': '',
      'a/d.npz': '',
      'a/deeper/profile.yaml': 'not read',
      'c/other.yaml': 'not read',
      '.hidden.yaml': 'not read',
      'readme.txt': 'not read',
    });
    const { profiles, problems } = await loadProfiles(dir);
    expect(problems).toEqual([]);
    expect(profiles.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('keeps the good profiles when one is bad', async () => {
    const dir = await folderWith({ 'bad.yaml': 'name: [', 'good.yaml': SHORT });
    const { profiles, problems } = await loadProfiles(dir);
    expect(profiles.map(({ name }) => name)).toEqual(['tiny']);
    expect(problems.map(({ place }) => place?.file)).toContain(join(dir, 'bad.yaml'));
  });

  it('keeps the first of two profiles with one name and says so at the second', async () => {
    const dir = await folderWith({ 'a.yaml': SHORT, 'b.yaml': SHORT });
    const { profiles, problems } = await loadProfiles(dir);
    expect(profiles.map(({ file }) => file)).toEqual([join(dir, 'a.yaml')]);
    expect(problems).toMatchObject([
      { kind: 'duplicate-profile', place: { file: join(dir, 'b.yaml'), line: 1, column: 7, field: '/name' } },
    ]);
    expect(problems[0]?.message).toContain(join(dir, 'a.yaml'));
  });

  it('names a folder that does not exist', async () => {
    const missing = join(temporaryFolder(), 'nowhere');
    const { profiles, problems } = await loadProfiles(missing);
    expect(profiles).toEqual([]);
    expect(problems).toMatchObject([{ kind: 'profile-not-found', place: { file: missing } }]);
  });
});

describe('the profiles that ship', () => {
  const shipped = join(import.meta.dirname, '../../../profiles/digits/profile.yaml');

  it.skipIf(!existsSync(shipped))(
    'load without a problem (skipped where they are not built yet)',
    async () => {
      const result = await loadProfile(shipped);
      expect(result).toMatchObject({ ok: true, value: { name: 'digits', task: { name: 'classification' } } });
    },
  );
});
