import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { parseExposition } from '../../support/parse-exposition.ts';
import { BENCH, create, createFull, HOST, series } from './full-metrics.ts';

const GOLDEN = join(import.meta.dirname, '../../fixtures/golden');
const OPENMETRICS = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
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

  it('is the same object for all who scrape while nothing changes, and another as soon as something does', async () => {
    const metrics = create({ clock: { nowNs: () => 1n, wallMs: () => 0 } });
    const first = await metrics.render();
    expect(await metrics.render()).toBe(first);
    expect(await metrics.render(OPENMETRICS)).toBe(await metrics.render(OPENMETRICS));
    metrics.setJobs({ queued: 3 });
    const second = await metrics.render();
    expect(second.body).toContain('ptq_jobs{state="queued"} 3');
    metrics.countJobFailure('disk');
    expect((await metrics.render()).body).toContain('ptq_job_failures_total{reason="disk"} 1');
    metrics.observeSnapshot(HOST);
    expect(await metrics.render()).not.toBe(second);
  });

  it('asks for the host and the process at most every 50 ms', async () => {
    let nowNs = 5_000_000_000n;
    let asked = 0;
    const metrics = create({ clock: { nowNs: () => nowNs, wallMs: () => 0 } });
    const scrape = () =>
      metrics.render(undefined, () => {
        asked += 1;
        return { ...HOST, sources: { host: { state: 'up', restarts: asked } } };
      });
    await scrape();
    nowNs += 49_999_999n;
    const before = await scrape();
    expect(asked).toBe(1);
    nowNs += 1n;
    const after = await scrape();
    expect(asked).toBe(2);
    expect(after.body).not.toBe(before.body);
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
    expect(
      await series(create(), /^ptq_(host|disk|nvme|rapl|thermal|gpu|worker|sampler|bench|accuracy|run)/),
    ).toEqual([]);
  });

  it('begins every failure reason and job state at zero', async () => {
    const lines = await series(create(), /^ptq_job/);
    expect(lines).toHaveLength(14);
    expect(lines.every((line) => line.endsWith(' 0'))).toBe(true);
  });

  it('reads its own process by default', async () => {
    const metrics = createMetrics({ buildInfo: { version: '0', nodeVersion: '0', ortVersion: '0' } });
    const [line] = await series(metrics, /^process_resident_memory_bytes/);
    expect(Number(line?.split(' ')[1])).toBeGreaterThan(1e6);
  });
});

describe('results', () => {
  it('marks an invalid run and leaves the time of the last valid one', async () => {
    const metrics = createFull();
    const run = { ...BENCH, inferencesPerSecond: 1, latencySeconds: {}, finishedWallMs: 1_800_000_000_000 };
    metrics.recordBench({ ...run, valid: false });
    const labels =
      '{model="digits",variant="int8",provider="cpu",scenario="single-stream",suite="standard",measurement="alone"}';
    expect(await series(metrics, /^ptq_bench_(?!query_duration)/)).toEqual([
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

  it('begins the counters of a registered model at zero, and leaves those that count already as they are', async () => {
    const metrics = create();
    metrics.expectModel({ model: 'digits', methods: ['mse'] });
    const counted = /^ptq_(calibration_samples_total|quantize_duration_seconds_count)/;
    expect(await series(metrics, counted)).toEqual([
      'ptq_quantize_duration_seconds_count{method="mse",outcome="succeeded"} 0',
      'ptq_calibration_samples_total{model="digits"} 0',
    ]);
    metrics.recordQuantization({
      model: 'digits',
      method: 'mse',
      outcome: 'succeeded',
      durationSeconds: 1,
      calibrationSamples: 8,
      runId: '01M8',
    });
    metrics.expectModel({ model: 'digits', methods: ['mse'] });
    expect(await series(metrics, counted)).toEqual([
      'ptq_quantize_duration_seconds_count{method="mse",outcome="succeeded"} 1',
      'ptq_calibration_samples_total{model="digits"} 8',
    ]);
  });
});
