import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchResult } from '../../src/benchmark/bench-result.ts';
import { loadBenchFile } from '../../src/config/load-bench-file.ts';
import { DIGITS_DATA, DIGITS_MODEL, isBuilt, runProgram } from '../support/program.ts';
import { readXSpace } from '../support/read-xspace.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const TINY = `name: tiny
measurements:
  - { scenario: single-stream, duration: 100ms, queries: 20, rounds: 4 }
  - { name: busy, scenario: server, rate: 60, duration: 400ms, queries: 10, rounds: 2, latencyBound: 1s }
`;

const onDigits = (...args: readonly string[]) => [
  'bench',
  DIGITS_MODEL,
  '--data',
  DIGITS_DATA,
  '-q',
  ...args,
];

/** A folder with a suite, a trace, a profile and a second model. */
function folderOf(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tiny.yaml'), TINY);
  const arrivals = [0, 30, 60, 70].map((ms, sample) => JSON.stringify({ t_us: ms * 1000, sample }));
  writeFileSync(join(folder, 'trace.jsonl'), `${arrivals.join('\n')}\n`);
  copyFileSync(DIGITS_MODEL, join(folder, 'copy.onnx'));
  return folder;
}

describe.skipIf(!isBuilt)('ptq-agent bench and compare (skipped where `npm run build` was not run)', () => {
  it('runs a suite, keeps all of the result, and compares the models of it', async () => {
    const folder = folderOf();
    const copy = join(folder, 'copy.onnx');
    const files = ['-o', 'result.json', '--queries', 'queries.csv'];
    const command = ['bench', DIGITS_MODEL, copy, '--data', DIGITS_DATA, '--suite', './tiny.yaml'];
    const benched = await runProgram([...command, '--summary', ...files], folder);
    expect([0, 1], benched.stderr).toContain(benched.code);
    expect(benched.stdout).toMatch(/^tiny: single-stream\nmodel +queries/);
    expect(benched.stdout).toMatch(/^tiny: busy, server, 60 queries\/s$/m);
    expect(benched.stdout).toMatch(/^tiny: busy – .*copy.onnx$/m);
    expect(benched.stderr).toMatch(/^bench tiny\/busy .*: \d+ of \d+ turns/m);
    expect(readdirSync(folder).sort()).toEqual([
      'copy.onnx',
      'queries.csv',
      'result.json',
      'tiny.yaml',
      'trace.jsonl',
    ]);

    const result = unwrap(await loadBenchFile(join(folder, 'result.json')));
    expect(result.command.slice(0, 2)).toEqual(['ptq-agent', 'bench']);
    expect(result.models.map(({ digest }) => digest)).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      result.models[0]?.digest,
    ]);
    const queries = result.measurements.flatMap(({ results }) => results.map((of) => of.queries));
    const lines = readFileSync(join(folder, 'queries.csv'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(1 + queries.reduce((sum, count) => sum + count, 0));

    const compared = await runProgram(['compare', 'result.json', '--svg', 'figure.svg'], folder);
    expect(compared).toMatchObject({ code: 0 });
    expect(compared.stdout).toMatch(/^tiny: single-stream +digits.onnx +copy.onnx +median latency/m);
    expect(readFileSync(join(folder, 'figure.svg'), 'utf8')).toMatch(/^<svg [^>]*>[\s\S]*<\/svg>\n$/);
    const json = await runProgram(
      [
        'compare',
        'result.json',
        'result.json',
        '--candidate',
        'copy.onnx',
        '--base',
        'digits.onnx',
        '--json',
      ],
      folder,
    );
    expect(JSON.parse(json.stdout)).toMatchObject({
      comparisons: [{ measurement: 'single-stream', paired: true, base: DIGITS_MODEL, candidate: copy }, {}],
    });
  }, 180_000);

  it('lets a gate fail where a candidate is slower than before, in two runs', async () => {
    const folder = folderOf();
    const schedule = [
      '--scenario',
      'constant-rate',
      '--rate',
      '100',
      '--duration',
      '300ms',
      '--min-queries',
      '9',
    ];
    await runProgram([...onDigits(...schedule), '-o', 'a.json'], folder);
    // The same run, made ten times as slow and an hour later.
    const slow = JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')) as {
      created: string;
      measurements: { results: { rounds: { medianSeconds: number }[] }[] }[];
    };
    slow.created = '2026-01-01T00:00:00.000Z';
    for (const round of slow.measurements.flatMap(({ results }) => results.flatMap(({ rounds }) => rounds)))
      round.medianSeconds *= 1e4;
    writeFileSync(join(folder, 'b.json'), JSON.stringify(slow));
    const gate = await runProgram(['compare', 'a.json', 'b.json', '--fail-on', 'slower'], folder);
    expect(gate).toMatchObject({ code: 1, stdout: expect.stringContaining('slower *') });
    expect(gate.stdout).toContain('* these are two runs');
    const other = await runProgram(['compare', 'b.json', 'a.json', '--fail-on', 'slower'], folder);
    expect(other).toMatchObject({ code: 0, stdout: expect.stringContaining('faster *') });
  }, 180_000);

  it('replays a trace at another speed, over and over', async () => {
    const folder = folderOf();
    const replay = ['--replay', 'trace.jsonl', '--speed', '2', '--loop', '2', '--rounds', '1'];
    const benched = await runProgram([...onDigits(...replay), '--queries', 'q.csv'], folder);
    expect(benched.stdout).toMatch(/^replay, 8 queries in .*, 2 times as fast, 2 times over\n/);
    const rows = readFileSync(join(folder, 'q.csv'), 'utf8').trimEnd().split('\n').slice(1);
    const samples = rows.map((row) => row.split(',')[6]);
    expect(samples).toEqual(['0', '1', '2', '3', '0', '1', '2', '3']);
    expect(rows.slice(0, 4).map((row) => row.split(',')[7])).toEqual([
      '0',
      '15000000',
      '30000000',
      '35000000',
    ]);
  }, 180_000);

  it('feeds a suite with its own data, and refuses data that is another than it was made for', async () => {
    const folder = folderOf();
    const withInputs = (inputs: string) =>
      writeFileSync(
        join(folder, 'own.yaml'),
        `name: own\ninputs: { path: ${DIGITS_DATA}${inputs} }\nmeasurements: [{ scenario: offline, duration: 50ms, queries: 1, rounds: 2 }]\n`,
      );
    withInputs(`, digest: sha256:${'0'.repeat(64)}`);
    const refused = await runProgram(['bench', DIGITS_MODEL, '--suite', 'own.yaml', '-q'], folder);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('[data-differs]') });
    const digest = /and this is (sha256:[0-9a-f]{64})/.exec(refused.stderr)?.[1];
    withInputs(`, digest: ${digest}`);
    const taken = await runProgram(['bench', DIGITS_MODEL, '--suite', 'own.yaml', '-q', '--json'], folder);
    expect(JSON.parse(taken.stdout)).toMatchObject([{ suite: 'own', measurement: 'offline', speedUp: null }]);
  }, 180_000);

  it('prints the result although its file cannot be written in the end', async () => {
    if (!existsSync('/dev/full')) return;
    const full = await runProgram(
      onDigits('--duration', '50ms', '--min-queries', '5', '--queries', '/dev/full'),
    );
    expect(full).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('(ENOSPC) [output-not-writable]'),
    });
    expect(full.stdout).toMatch(/^model +queries/);
  }, 180_000);

  it('runs the suites of a profile', async () => {
    const folder = folderOf();
    mkdirSync(join(folder, 'digits'));
    writeFileSync(
      join(folder, 'digits/profile.yaml'),
      `name: digits
model: ${DIGITS_MODEL}
data: { path: ${DIGITS_DATA}, calibration: { samples: 16 }, evaluation: { samples: 50 } }
variants: [{ name: int8, recipe: weight-int8 }]
budget: { metric: sqnr_db, atLeast: 1 }
bench: { suites: [../tiny.yaml] }
`,
    );
    const ran = await runProgram(['run', 'digits', '--json', '-q'], folder);
    const { variants } = JSON.parse(ran.stdout) as { variants: { bench: object[] }[] };
    for (const { bench } of variants)
      expect(bench).toMatchObject([
        { suite: 'tiny', measurement: 'single-stream' },
        { suite: 'tiny', measurement: 'busy', scenario: 'server' },
      ]);
  }, 180_000);

  it.each([
    ['a suite that is not there', ['--suite', 'smok'], 'did you mean "smoke"?'],
    ['a suite and a scenario', ['--suite', 'smoke', '--scenario', 'server'], '[options-conflict]'],
    ['a suite twice', ['--suite', 'smoke', '--suite', 'smoke'], 'name each suite once'],
    ['a rate without a schedule', ['--rate', '4'], '--rate has no meaning in the scenario single-stream'],
    ['text and JSON at once', ['--summary', '--json'], '--summary is text'],
    ['a trace that is not there', ['--replay', 'none.jsonl'], '[trace-unreadable]'],
    ['a trace without sense', ['--replay', DIGITS_MODEL], 'error: '],
    ['a folder for a file', ['-o', '/'], 'name a file, not a folder'],
    ['a folder that is not there', ['--queries', '/none/q.csv'], 'make the folder first'],
    ['more time than there may be', ['--duration', '9s', '--max-duration', '2s'], 'maxDurationSeconds'],
  ])('refuses %s before anything runs', async (_what, args, words) => {
    const refused = await runProgram(onDigits(...args));
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(words) });
    expect(refused.stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['a file that is not there', ['none.json'], '[file-unreadable]'],
    ['a model', [DIGITS_MODEL], '[not-a-bench-file]'],
    ['an unknown gate', ['none.json', '--fail-on', 'rain'], 'Allowed choices are slower'],
    ['nothing at all', [], "missing required argument 'result'"],
  ])('does not compare %s', async (_what, args, words) => {
    expect(await runProgram(['compare', ...args])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(words),
    });
  });

  it('says that data is missing where no suite has its own', async () => {
    expect(await runProgram(['bench', DIGITS_MODEL])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--data is missing [data-missing]'),
    });
    expect(await runProgram(['bench', DIGITS_MODEL, '--suite', 'smoke'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("the suite 'smoke' has no data of its own"),
    });
  });

  it('traces models once they are measured, and says what it cost and where the trace lies', async () => {
    const folder = folderOf();
    const brief = ['--duration', '100ms', '--min-queries', '20', '--rounds', '2', '--processes', '1'];
    const command = ['bench', DIGITS_MODEL, 'copy.onnx', '--data', DIGITS_DATA, ...brief, '--trace'];
    const json = await runProgram([...command, '--logdir', 'shown', '--json', '-q'], folder);
    expect([0, 1], json.stderr).toContain(json.code);
    const results = JSON.parse(json.stdout) as BenchResult[];
    expect(results.map(({ trace }) => trace)).toEqual(
      results.map(() => ({
        queries: 50,
        runs: 50,
        p50Seconds: { traced: expect.any(Number), untraced: expect.any(Number) },
        costRatio: expect.any(Number),
        examples: expect.any(Array),
        extraRssBytes: expect.any(Number),
        run: expect.stringMatching(/^\d{4}(_\d\d){5}/),
        path: expect.stringMatching(/shown\/plugins\/profile\/.*\.xplane\.pb$/),
      })),
    );
    const { planes } = readXSpace(readFileSync(results[0]?.trace?.path as string));
    expect(planes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['/host:CPU', '/device:CUSTOM:telemetry']),
    );
    const host = planes.find(({ name }) => name === '/host:CPU');
    const sessions = host?.lines.map(({ name }) => name).filter((name) => name.startsWith('bench'));
    expect(sessions).toEqual(['bench digits', 'bench copy']);

    const text = await runProgram([...command, '--trace-queries', '7', '-q'], folder);
    expect(text.stdout).toMatch(/^traced: copy\.onnx: 7 queries after those above; it cost .* of p50/m);
    expect(text.stderr).toMatch(/^trace: \.ptq-agent\/traces\/plugins\/profile\/.*xplane\.pb/m);
    expect(text.stderr).toMatch(/tensorboard --logdir \.ptq-agent\/traces/);
  });

  it('refuses to trace into a folder that cannot be, and options about a trace that is not made', async () => {
    const folder = folderOf();
    const traced = await runProgram(onDigits('--trace', '--logdir', 'tiny.yaml'), folder);
    expect(traced).toMatchObject({ code: 2, stdout: '' });
    expect(traced.stderr).toMatch(
      /no trace can be written there: .*\[trace-not-written\]\n +file: .*tiny.yaml/,
    );
    const idle = await runProgram(onDigits('--logdir', 'shown'), folder);
    expect(idle).toMatchObject({ code: 2, stdout: '' });
    expect(idle.stderr).toMatch(
      /--logdir is about a trace, and none is made \[bad-usage\]\n +what to do: add --trace/,
    );
    const many = await runProgram(onDigits('--trace', '--trace-queries', '10001'), folder);
    expect(many.stderr).toMatch(/expected at most 10000 but found 10001/);
  });
});
