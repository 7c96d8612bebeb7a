import { describe, expect, it } from 'vitest';
import { summarizeVariant } from '../../../src/benchmark/bench-result.ts';
import type { VariantRecord } from '../../../src/benchmark/variant-record.ts';
import { toJson } from '../../../src/core/json.ts';
import { problem } from '../../../src/core/problem.ts';
import { identityOf, NOTHING_CHECKED, roundOf, STEADY, settingsOf, USAGE } from './fakes.ts';

const millisecond = 1e6;
const settings = settingsOf({ rounds: 2, minDurationSeconds: 0.1, minQueries: 100 });
const whole: VariantRecord = {
  identity: identityOf('int8'),
  loaded: { sampleCount: 4, samplesPerRun: 1, laneCount: 1, loadSeconds: 0.5, idleEnergy: null },
  warmUp: STEADY,
  rounds: [0, 1].map((index) => roundOf(index, Array(50).fill(millisecond))),
  usage: USAGE,
  failure: null,
};

describe('summarizeVariant', () => {
  it('pools the rounds into one valid result that survives JSON', () => {
    const result = summarizeVariant(whole, settings);
    expect(result).toMatchObject({
      model: 'digits',
      variant: 'int8',
      device: 'cpu',
      scenario: 'single-stream',
      valid: true,
      invalidReasons: [],
      queries: 100,
      samples: 100,
      durationSeconds: 0.1,
      latencySeconds: { mean: 0.001, p50: 0.001, p99: 0.001, p999: null },
      serviceTimeSeconds: null,
      throughput: 1000,
      warmup: { queries: 30, seconds: 0.03, steady: true },
      peakRssBytes: 1_000,
      peakGpuMemoryBytes: null,
      arenaBytes: null,
      cpuSeconds: null,
    });
    expect(result.rounds).toHaveLength(2);
    expect(JSON.parse(toJson(result))).toEqual(result);
  });

  it('has the memory of GPUs and of the arena where it is known', () => {
    const usage = { ...USAGE, peakGpuMemoryBytes: 7_000, arenaBytes: 300 };
    expect(summarizeVariant({ ...whole, usage }, settings)).toMatchObject({
      peakGpuMemoryBytes: 7_000,
      arenaBytes: 300,
    });
  });

  it('adds up the CPU time of the rounds when every round has it', () => {
    const rounds = whole.rounds.map((round) => ({ ...round, cpuSeconds: 0.06 }));
    expect(summarizeVariant({ ...whole, rounds }, settings).cpuSeconds).toBeCloseTo(0.12, 12);
    const oneOnly = [{ ...(whole.rounds[0] as (typeof rounds)[number]), cpuSeconds: 0.06 }, roundOf(1, [1])];
    expect(summarizeVariant({ ...whole, rounds: oneOnly }, settings).cpuSeconds).toBeNull();
  });

  it('spreads the interval of the median by the scatter between rounds, not within', () => {
    const between = [0, 1, 2].map((index) =>
      roundOf(index, Array(100).fill(millisecond * (1 + index / 100))),
    );
    const { medianIntervalSeconds } = summarizeVariant({ ...whole, rounds: between }, settings);
    expect(medianIntervalSeconds?.lower).toBeLessThan(0.00099);
    expect(medianIntervalSeconds?.upper).toBeGreaterThan(0.00103);
  });

  it.each<[string, Partial<VariantRecord>, RegExp]>([
    ['an unstable warm-up', { warmUp: { ...STEADY, steady: false } }, /warm-up was unstable: after 30\.0 ms/],
    [
      'too few queries',
      { rounds: [roundOf(0, Array(63).fill(5 * millisecond))] },
      /^63 queries .* takes 64$/,
    ],
    [
      'fewer queries than asked for',
      { rounds: [roundOf(0, Array(99).fill(5 * millisecond))] },
      /fewer .* of 100$/,
    ],
    [
      'too short a run',
      { rounds: [roundOf(0, Array(100).fill(1_000))] },
      /^Measured for 100 µs, less .* 100 ms$/,
    ],
    [
      'a failure',
      { failure: problem('sut-failed', 'int8 died') },
      /^int8 died \(2 of 2 rounds were measured whole\)$/,
    ],
    [
      'other work on the host',
      { rounds: whole.rounds.map((round) => ({ ...round, otherCpuSeconds: 0.03 })) },
      /^Other work on the host took 0\.60 CPU cores on average, more than the 0\.25 allowed$/,
    ],
    [
      'outputs that are not those of a run without load',
      {
        usage: {
          ...USAGE,
          outputCheck: {
            ...NOTHING_CHECKED,
            compared: 4,
            mismatches: [{ sample: 2, output: 'scores', reason: '1 of 9 elements differ' }],
          },
        },
      },
      /^1 of 4 outputs that were looked at differ .*'scores' of feed 2: 1 of 9 elements differ$/,
    ],
    [
      'a process that was starved of CPU time',
      { rounds: whole.rounds.map((round) => ({ ...round, cpuSeconds: 0.02 })) },
      /^The process got 40 % of one CPU core although it was never idle/,
    ],
  ])('is invalid for %s, says so and keeps the figures', (_name, change, reason) => {
    const result = summarizeVariant({ ...whole, ...change }, settings);
    expect(result.valid).toBe(false);
    expect(result.invalidReasons).toContainEqual(expect.stringMatching(reason));
    expect(result.latencySeconds?.mean).toBeGreaterThan(0);
  });

  it('expects no CPU time of a system on another device', () => {
    const identity = { ...whole.identity, device: 'webgpu' } as const;
    const rounds = whole.rounds.map((round) => ({ ...round, cpuSeconds: 0.001 }));
    expect(summarizeVariant({ ...whole, identity, rounds }, settings).valid).toBe(true);
  });

  it('stays valid under a little other work', () => {
    const rounds = whole.rounds.map((round) => ({ ...round, otherCpuSeconds: 0.005 }));
    const result = summarizeVariant({ ...whole, rounds }, settings);
    expect(result.valid).toBe(true);
    expect(result.rounds[0]?.otherCpuCores).toBeCloseTo(0.1, 12);
  });

  it('has no figures where nothing was measured', () => {
    const failure = problem('model-load-failed', 'Not a model');
    const result = summarizeVariant({ ...whole, warmUp: null, rounds: [], usage: null, failure }, settings);
    expect(result).toMatchObject({
      valid: false,
      queries: 0,
      latencySeconds: null,
      throughput: null,
      warmup: null,
      peakRssBytes: null,
      peakGpuMemoryBytes: null,
      arenaBytes: null,
    });
    expect(result.invalidReasons[0]).toBe('Not a model (0 of 2 rounds were measured whole)');
  });
});
