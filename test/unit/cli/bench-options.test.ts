import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addBenchOptions, type BenchOptions } from '../../../src/cli/bench-options.ts';
import { besideSuites, suiteOfOptions } from '../../../src/cli/suite-of-options.ts';

function parse(line: string): BenchOptions {
  const command = addBenchOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(line === '' ? [] : line.split(' '), { from: 'user' });
  return command.opts<BenchOptions>();
}

function measurementOf(line: string) {
  const suite = suiteOfOptions(parse(line));
  if (!suite.ok) throw new Error(suite.error.map(({ message }) => message).join(', '));
  return suite.value.measurements[0];
}

describe('suiteOfOptions', () => {
  it('measures single-stream quickly where nothing is said', () => {
    const quick = { name: 'single-stream', scenario: 'single-stream', preset: 'quick' };
    expect(suiteOfOptions(parse(''))).toEqual({
      ok: true,
      value: { name: '', measurements: [quick], limits: {} },
    });
  });

  it('takes every option of a schedule', () => {
    const line =
      '--scenario ramp --rate 50 --ramp-from 0 --duration 2s --max-duration 1m --min-queries 9 --rounds 2 --seed 3 ' +
      '--concurrency 2 --batch 4 --latency-bound 50ms --percentile 99.9 --grace 5s --max-other-cpu 0 --preset standard --sampling 50hz';
    expect(measurementOf(line)).toEqual({
      name: 'ramp',
      scenario: 'ramp',
      preset: 'standard',
      ratePerSecond: 50,
      rampFromPerSecond: 0,
      durationSeconds: 2,
      maxDurationSeconds: 60,
      minQueries: 9,
      rounds: 2,
      seed: 3,
      concurrency: 2,
      batch: 4,
      latencyBoundSeconds: 0.05,
      percentile: 99.9,
      graceSeconds: 5,
      maxOtherCpuCores: 0,
      sampling: '50hz',
    });
  });

  it('takes --replay for the scenario, with all that becomes of the trace', () => {
    const line = '--replay /t.jsonl --trace-format mooncake --from 1s --to 2m --rate-scale 20 --loop 3';
    expect(measurementOf(line)).toMatchObject({
      scenario: 'replay',
      trace: {
        file: '/t.jsonl',
        format: 'mooncake',
        fromSeconds: 1,
        toSeconds: 120,
        ratePerSecond: 20,
        loop: 3,
      },
    });
    expect(measurementOf('--scenario replay --replay /t.jsonl --speed 2')?.trace).toEqual({
      file: '/t.jsonl',
      speed: 2,
    });
  });

  it.each([
    [
      '--rate 4',
      '--rate has no meaning in the scenario single-stream',
      'choose --scenario server, constant-rate, ramp',
    ],
    ['--concurrency 2', '--concurrency has no meaning', 'closed-loop keeps several queries under way'],
    ['--scenario offline --latency-bound 1s', '--latency-bound has no meaning', '--scenario server'],
    [
      '--scenario server --samples-per-query 4',
      '--samples-per-query has no meaning',
      '--scenario multi-stream',
    ],
    ['--scenario server --ramp-from 4', '--ramp-from has no meaning', '--scenario ramp'],
    ['--scenario server --rate 4 --rate-share 0.5', '--rate and --rate-share', 'keep one of the two'],
    ['--scenario server --percentile 99', '--percentile says what a bound judges', 'add --latency-bound'],
    ['--scenario replay', 'a replay needs a trace', '--replay'],
    ['--speed 2', '--speed is about a trace, and there is none', '--replay'],
    ['--replay t --scenario server', '--replay is a scenario of its own', 'leave out --scenario'],
    ['--replay t --rate 4', '--rate has no meaning', '--rate-scale'],
    ['--replay t --duration 4s', '--duration has no meaning', '--loop'],
    ['--replay t --speed 2 --rate-scale 4', '--speed and --rate-scale', 'keep one of the two'],
    ['--replay t --from 4s --to 2s', '--to is not after --from', 'the earlier one first'],
  ])('refuses %s', (line, message, hint) => {
    expect(suiteOfOptions(parse(line))).toMatchObject({
      ok: false,
      error: [
        {
          kind: 'options-conflict',
          message: expect.stringContaining(message),
          hint: expect.stringContaining(hint),
        },
      ],
    });
  });

  it.each([
    '--percentile 100',
    '--percentile 99.95',
    '--percentile x',
    '--rate 0',
    '--loop 0',
    '--preset slow',
  ])('does not take %s', (line) => {
    expect(() => parse(line)).toThrow();
  });
});

describe('besideSuites', () => {
  it('names every option that a suite leaves no room for', () => {
    const options = parse(
      '--suite smoke --suite ./own.yaml --rate 4 --scenario server --speed 2 --max-other-cpu 1',
    );
    expect(options.suite).toEqual(['smoke', './own.yaml']);
    const flags = besideSuites(options).map(({ message }) => message.split(' ')[0]);
    expect(flags.sort()).toEqual(['--max-other-cpu', '--rate', '--scenario', '--speed']);
  });

  it('leaves threads to whoever runs the suite', () => {
    expect(besideSuites(parse('--suite smoke --threads 2'))).toEqual([]);
  });
});
