import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../../src/config/measurement.ts';
import { readySuite } from '../../../src/jobs/bench-suite.ts';
import { readyMeasurement } from '../../../src/jobs/ready-measurement.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const defaults = { threads: 3, limits: {} };
const offline: Measurement = { name: 'offline', scenario: 'offline', preset: 'quick' };

function traceOf(...lines: readonly string[]): string {
  const file = join(temporaryFolder(), 'trace.jsonl');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const ARRIVALS = [0, 500_000, 1_000_000, 3_000_000].map((t_us, sample) => JSON.stringify({ t_us, sample }));

describe('readyMeasurement', () => {
  it('takes durations and counts from the preset where the measurement gives none', async () => {
    const mlperf = unwrap(await readyMeasurement({ ...offline, preset: 'mlperf', batch: 10 }, defaults));
    expect(mlperf).toMatchObject({
      batch: 10,
      threads: 3,
      settings: { minDurationSeconds: 600, minQueries: 2458 },
    });
    const given = { ...offline, preset: 'mlperf', durationSeconds: 2, minQueries: 5, threads: 0 } as const;
    expect(unwrap(await readyMeasurement(given, defaults))).toMatchObject({
      batch: 1,
      threads: 0,
      settings: { minDurationSeconds: 2, minQueries: 5 },
    });
  });

  it('keeps every setting under the name that the benchmark has for it', async () => {
    const measurement: Measurement = {
      name: 'busy',
      scenario: 'ramp',
      preset: 'quick',
      maxDurationSeconds: 40,
      rounds: 6,
      seed: 9,
      rateShare: 0.5,
      rampFromPerSecond: 2,
      concurrency: 2,
      latencyBoundSeconds: 0.1,
      percentile: 97.5,
      graceSeconds: 7,
      maxOtherCpuCores: 1,
    };
    expect(unwrap(await readyMeasurement(measurement, defaults)).settings).toMatchObject({
      maxDurationSeconds: 40,
      rounds: 6,
      seed: 9,
      capacityShare: 0.5,
      rampFromPerSecond: 2,
      concurrency: 2,
      latencyBoundSeconds: 0.1,
      latencyBoundPermille: 975,
      graceSeconds: 7,
      maxOtherCpuCores: 1,
    });
  });

  it('takes the limits of the suite where the measurement has none', async () => {
    const limits = { maxDurationSeconds: 12, maxOtherCpuCores: 0.5 };
    const limited = unwrap(await readyMeasurement(offline, { threads: 1, limits }));
    expect(limited.settings).toMatchObject(limits);
    const own = { ...offline, maxDurationSeconds: 20, maxOtherCpuCores: 0 };
    expect(unwrap(await readyMeasurement(own, { threads: 1, limits })).settings).toMatchObject({
      maxDurationSeconds: 20,
      maxOtherCpuCores: 0,
    });
    const tooShort = await readyMeasurement(offline, { threads: 1, limits: { maxDurationSeconds: 5 } });
    expect(tooShort).toMatchObject({ ok: false, error: { kind: 'invalid-bench-settings' } });
  });

  it('cuts, speeds up and repeats a trace, in this order, and tells what it did', async () => {
    const trace = { file: traceOf(...ARRIVALS), fromSeconds: 0.2, toSeconds: 2, speed: 2, loop: 2 };
    const replay = { name: 'replay', scenario: 'replay', preset: 'quick', trace } as const;
    const { settings, trace: told } = unwrap(await readyMeasurement(replay, defaults));
    expect([...(settings.trace?.dueNs ?? [])]).toEqual([0, 250e6, 500e6, 750e6]);
    expect([...(settings.trace?.samples ?? [])]).toEqual([1, 2, 1, 2]);
    expect(told).toMatchObject({ file: trace.file, format: 'ptq-agent', count: 4 });
    expect(told?.changes).toEqual(['from 0.2 s to 2 s', '2 times as fast', '2 times over']);
  });

  it('cuts a trace at one end alone', async () => {
    const dueOf = async (window: object) => {
      const trace = { file: traceOf(...ARRIVALS), ...window };
      const replay = { name: 'replay', scenario: 'replay', preset: 'quick', trace } as const;
      return unwrap(await readyMeasurement(replay, defaults)).settings.trace?.dueNs.length;
    };
    const whole = (await dueOf({})) as number;
    expect(await dueOf({ fromSeconds: 0.2 })).toBe(whole - 1);
    expect(await dueOf({ toSeconds: 0.2 })).toBe(1);
  });

  it('stretches a trace to a rate', async () => {
    const trace = { file: traceOf(...ARRIVALS), ratePerSecond: 10 };
    const replay = { name: 'replay', scenario: 'replay', preset: 'quick', trace } as const;
    const { settings } = unwrap(await readyMeasurement(replay, defaults));
    expect(settings.trace?.dueNs.at(-1)).toBe(300e6);
  });

  it('says where a trace is wrong', async () => {
    const trace = { file: traceOf('{"t_us":0}', '{"t_us":"soon"}') };
    const replay = { name: 'replay', scenario: 'replay', preset: 'quick', trace } as const;
    expect(await readyMeasurement(replay, defaults)).toMatchObject({
      ok: false,
      error: { kind: 'trace-invalid', place: { file: trace.file, line: 2 } },
    });
    const window = { ...replay, trace: { file: traceOf(...ARRIVALS), fromSeconds: 9 } };
    expect(await readyMeasurement(window, defaults)).toMatchObject({
      ok: false,
      error: { kind: 'trace-setting-invalid' },
    });
  });
});

describe('readySuite', () => {
  const data = { spec: { path: '/mine.npz' }, split: 'eval' };
  const suite = { name: 'nightly', measurements: [offline], limits: {} };

  it('feeds models with its own data, or with what it is given', async () => {
    expect(await readySuite(suite, { data, threads: 1 })).toMatchObject({ ok: true, value: { data } });
    const inputs = { set: { path: '/own.npz' }, split: 'test', digest: 'a'.repeat(64) };
    expect(await readySuite({ ...suite, inputs }, { data, threads: 1 })).toMatchObject({
      ok: true,
      value: { data: { spec: { path: '/own.npz' }, split: 'test' }, digest: inputs.digest },
    });
    const split = { ...suite, inputs: { split: 'test' } };
    expect(await readySuite(split, { data, threads: 1 })).toMatchObject({
      ok: true,
      value: { data: { spec: { path: '/mine.npz' }, split: 'test' } },
    });
  });

  it('reports what is wrong with every measurement, and that there is no data', async () => {
    const limits = { maxDurationSeconds: 1 };
    const result = await readySuite(
      { ...suite, measurements: [offline, offline], limits },
      { data: undefined, threads: 1 },
    );
    expect(result).toMatchObject({
      ok: false,
      error: [
        { kind: 'invalid-bench-settings' },
        { kind: 'invalid-bench-settings' },
        { kind: 'data-missing', hint: expect.stringContaining('--data') },
      ],
    });
  });
});
