import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../support/daemon.ts';
import {
  childrenOf,
  DIGITS_DATA,
  DIGITS_MODEL,
  isBuilt,
  isRunning,
  runProgram,
  startProgram,
} from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DATA = ['--data', DIGITS_DATA];

describe.skipIf(!isBuilt)('ptq-agent sweep and peak (skipped where `npm run build` was not run)', () => {
  it('sweeps configurations, tells what is worth choosing among, and draws it', async () => {
    const svg = join(temporaryFolder(), 'front.svg');
    const lists = ['--batch', '1,1000000', '--threads', '1,2', '--concurrency', '1'];
    const args = ['sweep', DIGITS_MODEL, ...DATA, ...lists, '--duration', '200ms', '--rounds', '2'];
    const swept = await runProgram([...args, '--svg', svg, '--json']);
    // On a busy host no configuration is valid, which exit code 1 says.
    expect([0, 1]).toContain(swept.code);
    expect(JSON.parse(swept.stdout)).toMatchObject({
      scenario: 'closed-loop',
      cancelled: false,
      rows: [
        {
          batch: 1,
          threads: 1,
          concurrency: 1,
          throughput: expect.any(Number),
          cpuSecondsPerSample: expect.any(Number),
        },
        { batch: 1, threads: 2, throughputInterval: { lower: expect.any(Number) } },
      ],
      skipped: [
        {
          configurations: [{ batch: 1_000_000 }, { batch: 1_000_000 }],
          problem: { kind: 'too-few-samples' },
        },
      ],
      findings: { front: expect.arrayContaining([expect.any(Number)]) },
    });
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  }, 90_000);

  it('finds the peak of a model within a bound', async () => {
    const bound = ['--latency-bound', '2s', '--max-rate', '50', '--duration', '200ms', '--percentile', '90'];
    const found = await runProgram(['peak', DIGITS_MODEL, ...DATA, ...bound, '--json']);
    expect([0, 1]).toContain(found.code);
    expect(JSON.parse(found.stdout)).toMatchObject({
      results: [
        {
          latencyBoundSeconds: 2,
          latencyBoundPermille: 900,
          peak: { ratePerSecond: 50, limitedBy: 'cap', confirmed: true },
          trials: [{ rate: 50, outcome: 'met' }, { why: 'repeat' }],
        },
      ],
      ratios: [],
    });
  }, 90_000);

  it('measures and searches the models that there are, and says what is wrong with the others', async () => {
    const absent = join(temporaryFolder(), 'absent.onnx');
    const lists = ['--batch', '1', '--threads', '1', '--concurrency', '1', '--duration', '100ms'];
    const swept = await runProgram(['sweep', DIGITS_MODEL, absent, ...DATA, ...lists, '--json']);
    expect(swept).toMatchObject({ code: 2, stderr: expect.stringContaining('[model-not-found]') });
    expect(JSON.parse(swept.stdout)).toMatchObject({
      rows: [{ model: DIGITS_MODEL }],
      skipped: [{ model: absent, problem: { kind: 'model-not-found' } }],
    });
  }, 90_000);

  const folder = '{folder}';
  it.each([
    ['random bytes in a sweep', ['sweep', `${folder}/random.onnx`, ...DATA], 'cannot load the model'],
    ['missing data', ['sweep', DIGITS_MODEL, '--data', `${folder}/none.npz`], 'cannot be opened'],
    ['a list of batches that is none', ['sweep', DIGITS_MODEL, ...DATA, '--batch', '1,x'], "found 'x'"],
    ['no sessions', ['sweep', DIGITS_MODEL, ...DATA, '--concurrency', '0'], 'at least 1'],
    [
      'sessions side by side where there is one query at a time',
      ['sweep', DIGITS_MODEL, ...DATA, '--scenario', 'single-stream', '--concurrency', '2'],
      'Expected concurrency to be 1 in single-stream',
    ],
    [
      'a sweep of a schedule without a rate',
      ['sweep', DIGITS_MODEL, ...DATA, '--scenario', 'server'],
      '--scenario server needs --rate',
    ],
    [
      'a rate where there is no schedule',
      ['sweep', DIGITS_MODEL, ...DATA, '--rate', '5'],
      'Expected ratePerSecond to be left out in closed-loop',
    ],
    [
      'a scenario that is not swept',
      ['sweep', DIGITS_MODEL, ...DATA, '--scenario', 'replay'],
      'Allowed choices',
    ],
    [
      'a picture of nowhere',
      ['sweep', DIGITS_MODEL, ...DATA, '--svg', `${folder}/no/front.svg`],
      '[output-not-writable]',
    ],
    [
      'a missing model in a search',
      ['peak', `${folder}/none.onnx`, ...DATA, '--latency-bound', '1ms'],
      'none.onnx',
    ],
    ['a search without a bound', ['peak', DIGITS_MODEL, ...DATA], "'--latency-bound <time>'"],
    [
      'a bound without a unit',
      ['peak', DIGITS_MODEL, ...DATA, '--latency-bound', '20'],
      'expected a duration',
    ],
    [
      'a percentile of everything',
      ['peak', DIGITS_MODEL, ...DATA, '--latency-bound', '1ms', '--percentile', '100'],
      'up to 99.9',
    ],
    [
      'a resolution of nothing',
      ['peak', DIGITS_MODEL, ...DATA, '--latency-bound', '1ms', '--resolution', '0%'],
      'expected a share',
    ],
  ] as const)(
    'names what is wrong with %s',
    async (_what, args, words) => {
      const place = temporaryFolder();
      writeFileSync(join(place, 'random.onnx'), randomBytes(5000));
      const finished = await runProgram(args.map((word) => word.replace(folder, place)));
      expect(finished.stderr).toContain(words);
      expect(finished).toMatchObject({ code: 2, stdout: '' });
      expect(finished.stderr).not.toMatch(/^ +at |node:internal|UnhandledPromise/m);
    },
    30_000,
  );

  it('ends a sweep on Ctrl-C with what it has measured', async () => {
    const svg = join(temporaryFolder(), 'front.svg');
    const lists = ['--batch', '1,2', '--threads', '1', '--concurrency', '1', '--rounds', '40'];
    const program = startProgram([
      'sweep',
      DIGITS_MODEL,
      ...DATA,
      ...lists,
      '--duration',
      '8s',
      '--svg',
      svg,
    ]);
    await until(() => /: ([3-9]|\d\d) of 80/.test(program.stderr()) || undefined);
    const children = childrenOf(program.pid);
    program.signalGroup('SIGINT');
    const finished = await program.finished;
    expect(finished).toMatchObject({ code: 130 });
    expect(finished.stdout).toMatch(/^\*? +[12] +1 +1 +[\d.]+/m);
    expect(finished.stdout).toContain('cancelled: what is above was measured before');
    expect(existsSync(svg)).toBe(true);
    expect(children.filter(isRunning)).toEqual([]);
  }, 90_000);

  it('ends a search on Ctrl-C with the trials it has', async () => {
    const bound = ['--latency-bound', '1s', '--duration', '5s'];
    const program = startProgram(['peak', DIGITS_MODEL, ...DATA, ...bound]);
    await until(() => /: [1-9] trials/.test(program.stderr()) || undefined);
    program.signalGroup('SIGINT');
    const finished = await program.finished;
    expect(finished).toMatchObject({ code: 130, stderr: expect.stringContaining('cancelled') });
    expect(finished.stdout).toMatch(/^trials of .*\ntrial +rate/m);
  }, 90_000);
});
