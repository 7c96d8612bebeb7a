import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { HostSnapshot } from '../../../src/metrics/host-metrics.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import type { LatestReadings } from '../../../src/telemetry/latest-readings.ts';
import { parseExposition } from '../../support/parse-exposition.ts';

const GOLDEN = join(import.meta.dirname, '../../fixtures/golden');
const OPENMETRICS = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const BENCH = {
  model: 'digits',
  variant: 'int8',
  provider: 'cpu',
  scenario: 'single-stream',
  suite: 'standard',
  measurement: 'alone',
} as const;

const HOST: HostSnapshot = {
  cpu: { secondsByMode: { user: 12.5, system: 3.25, idle: 9000.01 } },
  memory: { totalBytes: 137_438_953_472, availableBytes: 100_000_000_000 },
  pressure: {
    cpu: { someSeconds: 1.5, fullSeconds: 0 },
    io: { someSeconds: 0.25, fullSeconds: 0.125 },
    memory: { someSeconds: 0, fullSeconds: 0 },
  },
  disks: [
    {
      device: 'nvme0n1',
      readBytes: 4096,
      writtenBytes: 8192,
      reads: 1,
      writes: 2,
      ioTimeSeconds: 0.5,
      weightedIoTimeSeconds: 0.75,
    },
  ],
  health: {
    cpu: { status: 'ok', lastSuccessMs: 1_790_000_000_250 },
    memory: { status: 'ok', lastSuccessMs: 1_790_000_000_250 },
    disks: { status: 'failed', problem: { kind: 'unreadable' } },
    pressure: { status: 'failed', problem: { kind: 'absent' } },
  },
  sources: { host: { cost: { cpuSeconds: 0.5, missedTicks: 3 } }, gpu: {} },
};

function create(): Metrics {
  return createMetrics({
    buildInfo: { version: '0.1.0', nodeVersion: '20.20.2', ortVersion: '1.30.0' },
    readProcess: () => ({ cpuSeconds: 1.5, residentMemoryBytes: 1e8, startTimeSeconds: 1_789_999_000 }),
  });
}

function createFull(): Metrics {
  const metrics = create();
  metrics.setHost(HOST);
  metrics.setJobs({ queued: 2, running: 1 });
  metrics.countJobFailure('worker_crashed');
  const quantization = { model: 'digits', method: 'minmax', outcome: 'succeeded' } as const;
  vi.useFakeTimers({ now: 1_790_000_000_500 });
  metrics.recordQuantization({
    ...quantization,
    durationSeconds: 0.7,
    calibrationSamples: 256,
    runId: '01M83N04WMG5BZ7Q701Z9NB7JD',
  });
  vi.useRealTimers();
  metrics.setModelSize({ model: 'digits', variant: 'fp32', sizeBytes: 400_000 });
  metrics.setModelSize({ model: 'digits', variant: 'int8', sizeBytes: 110_000 });
  metrics.recordBench({
    ...BENCH,
    valid: true,
    inferencesPerSecond: 12_345.6,
    latencySeconds: { p50: 0.000_08, p90: 0.000_09, p99: 0.000_12 },
    peakRssBytes: 90_000_000,
    speedupRatio: 2.5,
    finishedWallMs: 1_790_000_001_000,
  });
  metrics.recordEvaluation({
    model: 'digits',
    variant: 'int8',
    dataset: 'eval',
    accuracy: { metric: 'top1', unit: 'proportion', value: 0.964, baselineValue: 0.968, lossBudget: 0.01 },
    agreementRatio: 0.994,
    sqnrDb: 31.4,
    changedAnswers: 6,
    driftedAnswers: 0,
    verdict: 'non_inferior',
  });
  metrics.recordEvaluation({
    model: 'depth',
    variant: 'int8',
    dataset: 'eval',
    accuracy: { metric: 'mae', unit: 'number', value: 2.25, baselineValue: 2.125, lossBudget: 0.25 },
    verdict: 'inconclusive',
  });
  return metrics;
}

/** The lines of a scrape that are values, of the metrics that `name` matches. */
async function series(metrics: Metrics, name: RegExp): Promise<readonly string[]> {
  const { body } = await metrics.render();
  return body.split('\n').filter((line) => !line.startsWith('#') && name.test(line));
}

describe('the exposition', () => {
  it.each([
    ['text 0.0.4', undefined, 'metrics.prom', 'text/plain; version=0.0.4; charset=utf-8'],
    [
      'OpenMetrics',
      OPENMETRICS,
      'metrics.openmetrics',
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ],
  ])('is in %s byte for byte the recorded one (UPDATE_GOLDEN=1 writes it)', async (_, accept, file, type) => {
    const { contentType, body } = await createFull().render(accept);
    const golden = join(GOLDEN, file);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, body);
    expect(contentType).toBe(type);
    expect(body).toBe(readFileSync(golden, 'utf8'));
  });

  it('has the same series in both formats', async () => {
    const samples = (body: string, format: 'text' | 'openmetrics') =>
      parseExposition(body, format).flatMap((family) =>
        family.samples.map(({ name, labels, value }) => ({ name, labels, value })),
      );
    const metrics = createFull();
    expect(samples((await metrics.render(OPENMETRICS)).body, 'openmetrics')).toEqual(
      samples((await metrics.render()).body, 'text'),
    );
  });

  it('is the same when it is rendered twice', async () => {
    const metrics = createFull();
    const [text, openMetrics] = [await metrics.render(), await metrics.render(OPENMETRICS)];
    expect([await metrics.render(), await metrics.render(OPENMETRICS)]).toEqual([text, openMetrics]);
  });

  const promtool = spawnSync('promtool', ['--version']);
  it.skipIf(promtool.error !== undefined)(
    'passes promtool (skipped where that is not installed)',
    async () => {
      const { body } = await createFull().render();
      const check = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
      expect(check.stdout + check.stderr).toBe('');
      expect(check.status).toBe(0);
    },
  );

  it('has no host value before the first sample, rather than zeros that nobody read', async () => {
    expect(await series(create(), /^ptq_(host|disk|sampler|bench|accuracy)/)).toEqual([]);
  });

  it('begins every failure reason and job state at zero', async () => {
    const lines = await series(create(), /^ptq_job/);
    expect(lines).toHaveLength(13);
    expect(lines.every((line) => line.endsWith(' 0'))).toBe(true);
  });

  it('reads its own process by default', async () => {
    const metrics = createMetrics({ buildInfo: { version: '0', nodeVersion: '0', ortVersion: '0' } });
    const [line] = await series(metrics, /^process_resident_memory_bytes/);
    expect(Number(line?.split(' ')[1])).toBeGreaterThan(1e6);
  });
});

describe('the host', () => {
  it('is taken from the readings of telemetry as they are', () => {
    const take = (readings: LatestReadings): HostSnapshot => readings;
    expect(take).toBeTypeOf('function');
  });

  it('exports counters of the kernel with their absolute values, even after they restarted', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    metrics.setHost({
      ...HOST,
      cpu: { secondsByMode: { user: 20 } },
      sources: { host: { cost: { cpuSeconds: 0.1, missedTicks: 0 } } },
    });
    expect(await series(metrics, /^ptq_(host_cpu|sampler_(missed|cpu))/)).toEqual([
      'ptq_host_cpu_seconds_total{mode="user"} 20',
      'ptq_sampler_missed_ticks_total{source="host"} 0',
      'ptq_sampler_cpu_seconds_total{source="host"} 0.1',
    ]);
  });

  it('drops the series of a device that is gone and of a collector that failed', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    expect(await series(metrics, /^ptq_(disk|host_memory)/)).toHaveLength(8);
    const { memory: _memory, ...rest } = HOST;
    metrics.setHost({ ...rest, disks: [] });
    expect(await series(metrics, /^ptq_(disk|host_memory)/)).toEqual([]);
  });

  it('tells a collector that failed from a source that the host does not have', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    expect(await series(metrics, /^ptq_sampler_up/)).toEqual([
      'ptq_sampler_up{collector="cpu"} 1',
      'ptq_sampler_up{collector="memory"} 1',
      'ptq_sampler_up{collector="disks"} 0',
    ]);
  });

  it('keeps the time of the last success while a collector fails', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    const problem = { kind: 'unreadable' };
    metrics.setHost({
      ...HOST,
      health: { cpu: { status: 'failed', problem, lastSuccessMs: 1_790_000_000_250 } },
    });
    expect(await series(metrics, /^ptq_sampler_(up|last_success)/)).toEqual([
      'ptq_sampler_up{collector="cpu"} 0',
      'ptq_sampler_last_success_timestamp_seconds{collector="cpu"} 1790000000.25',
    ]);
  });

  it('shows the collectors of a process that does not answer as down, and no old reading of them', async () => {
    const metrics = create();
    metrics.setHost(HOST);
    const down = { status: 'down', problem: { kind: 'sampler-silent' } } as const;
    metrics.setHost({
      health: { cpu: { ...down, lastSuccessMs: 1_790_000_000_250 }, disks: down },
      sources: { host: {} },
    });
    expect(await series(metrics, /^ptq_(host|disk|sampler)/)).toEqual([
      'ptq_sampler_up{collector="cpu"} 0',
      'ptq_sampler_up{collector="disks"} 0',
      'ptq_sampler_last_success_timestamp_seconds{collector="cpu"} 1790000000.25',
    ]);
  });
});

describe('results', () => {
  it('marks an invalid run and leaves the time of the last valid one', async () => {
    const metrics = createFull();
    const run = { ...BENCH, inferencesPerSecond: 1, latencySeconds: {}, finishedWallMs: 1_800_000_000_000 };
    metrics.recordBench({ ...run, valid: false });
    const labels =
      '{model="digits",variant="int8",provider="cpu",scenario="single-stream",suite="standard",measurement="alone"}';
    expect(await series(metrics, /^ptq_bench/)).toEqual([
      `ptq_bench_throughput_inferences_per_second${labels} 1`,
      `ptq_bench_valid${labels} 0`,
      `ptq_bench_last_success_timestamp_seconds${labels} 1790000001`,
    ]);
  });

  it('exports exactly one verdict as 1, and none when there is none', async () => {
    const metrics = createFull();
    const evaluation = { model: 'digits', variant: 'int8', dataset: 'eval' } as const;
    metrics.recordEvaluation({ ...evaluation, verdict: 'regressed' });
    const verdicts = await series(metrics, /^ptq_accuracy_verdict\{model="digits"/);
    expect(verdicts).toHaveLength(5);
    expect(verdicts.filter((line) => line.endsWith(' 1'))).toEqual([
      'ptq_accuracy_verdict{model="digits",variant="int8",verdict="regressed"} 1',
    ]);
    metrics.recordEvaluation(evaluation);
    expect(await series(metrics, /^ptq_accuracy_verdict\{model="digits"/)).toEqual([]);
  });

  it('drops the value of a metric that the profile no longer asks for', async () => {
    const metrics = createFull();
    const accuracy = { metric: 'agreement', unit: 'proportion', value: 0.99, baselineValue: 1 } as const;
    metrics.recordEvaluation({ model: 'digits', variant: 'int8', dataset: 'eval', accuracy });
    expect(await series(metrics, /^ptq_accuracy_(ratio|baseline_r|drop)/)).toEqual([
      'ptq_accuracy_ratio{model="digits",variant="int8",dataset="eval",metric="agreement"} 0.99',
      'ptq_accuracy_baseline_ratio{model="digits",variant="int8",dataset="eval",metric="agreement"} 1',
    ]);
  });

  it('exports a metric with a unit of its own apart from those that are ratios', async () => {
    const metrics = createFull();
    expect(await series(metrics, /^ptq_accuracy.*metric="mae"/)).toEqual([
      'ptq_accuracy_value{model="depth",variant="int8",dataset="eval",metric="mae"} 2.25',
      'ptq_accuracy_baseline_value{model="depth",variant="int8",dataset="eval",metric="mae"} 2.125',
      'ptq_accuracy_loss_budget_value{model="depth",variant="int8",dataset="eval",metric="mae"} 0.25',
    ]);
    const accuracy = { metric: 'r2', unit: 'number', value: 0.5, baselineValue: 0.75 } as const;
    metrics.recordEvaluation({ model: 'depth', variant: 'int8', dataset: 'eval', accuracy });
    expect(await series(metrics, /metric="mae"/)).toEqual([]);
  });

  it('exports an infinite SQNR of equal outputs, and no NaN', async () => {
    const metrics = create();
    const evaluation = { model: 'digits', variant: 'int8', dataset: 'eval' } as const;
    metrics.recordEvaluation({ ...evaluation, sqnrDb: Number.POSITIVE_INFINITY, agreementRatio: Number.NaN });
    expect(await series(metrics, /^ptq_(sqnr|agreement)/)).toEqual([
      'ptq_sqnr_decibels{model="digits",variant="int8",dataset="eval"} +Inf',
    ]);
  });

  it('forgets one variant, or all of a model, and nothing else', async () => {
    const metrics = createFull();
    metrics.forget({ model: 'depth' });
    metrics.setModelSize({ model: 'other', variant: 'int8', sizeBytes: 1 });
    metrics.forget({ model: 'digits', variant: 'int8' });
    expect(await series(metrics, /variant=/)).toEqual([
      'ptq_model_size_bytes{model="digits",variant="fp32"} 400000',
      'ptq_model_size_bytes{model="other",variant="int8"} 1',
    ]);
    metrics.forget({ model: 'digits' });
    expect(await series(metrics, /variant=/)).toEqual([
      'ptq_model_size_bytes{model="other",variant="int8"} 1',
    ]);
  });
});
