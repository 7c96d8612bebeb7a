import { describe, expect, it } from 'vitest';
import { energyFigures } from '../../../src/benchmark/energy.ts';
import { renderBench } from '../../../src/cli/bench-report.ts';
import { renderSummaries } from '../../../src/cli/bench-summary.ts';
import { suiteRunOf } from '../../support/bench-runs.ts';

const services = { 'fp32.onnx': () => 2e6, 'int8.onnx': () => 1e6 };
const made = { isMadeUp: false };

describe('renderBench', () => {
  it('is one table without a title where options said what to measure', async () => {
    const text = renderBench([await suiteRunOf(services)], made);
    expect(text).toMatch(/^model +queries +mean/);
    expect(text).toMatch(/^int8.onnx +2016 +1.00 ms .* 2.00x \[2.00, 2.00\]$/m);
    expect(text).not.toContain('invalid');
  });

  it('has a column for the memory of GPUs where that is known of a model', async () => {
    const suiteRun = await suiteRunOf(services);
    expect(renderBench([suiteRun], made)).not.toContain('GPU memory');
    const results = suiteRun.run.results.map((result, index) =>
      index === 0 ? { ...result, peakGpuMemoryBytes: 3 * 2 ** 30 } : result,
    );
    const text = renderBench([{ ...suiteRun, run: { ...suiteRun.run, results } }], made);
    expect(text).toMatch(/ peak memory +GPU memory +speed-up$/m);
    expect(text).toMatch(/^fp32.onnx .* 3\.00 GiB +–$/m);
    expect(text).toMatch(/^int8.onnx .* – +2.00x/m);
  });

  it('has a column for energy where something counts it', async () => {
    const suiteRun = await suiteRunOf(services);
    expect(renderBench([suiteRun], made)).not.toContain('energy');
    const used = { joules: 60.48, durationNs: 1e9, joulesByDomain: { 'GPU-1': 60.48 } };
    const results = suiteRun.run.results.map((result, index) =>
      index === 0 ? { ...result, energy: energyFigures(used, 1008) } : result,
    );
    const text = renderBench([{ ...suiteRun, run: { ...suiteRun.run, results } }], made);
    expect(text).toMatch(/ peak memory +energy\/query +speed-up$/m);
    expect(text).toMatch(/^fp32.onnx .* 60\.0 mJ +–$/m);
    expect(text).toMatch(/^int8.onnx .* – +2.00x/m);
  });

  it('tells of a schedule what the columns do not, and the time at work beside the latency', async () => {
    const run = await suiteRunOf(services, { scenario: 'constant-rate', ratePerSecond: 40 });
    const text = renderBench([run], made);
    expect(text).toMatch(/^constant-rate, 40 queries\/s\n/);
    expect(text).toMatch(/service p50\n/);
    expect(text).toMatch(/^fp32.onnx .* 2.00 ms$/m);
  });

  it('puts every measurement of suites under its name', async () => {
    const server = { scenario: 'server', capacityShare: 0.5 } as const;
    const text = renderBench(
      [
        await suiteRunOf(services, {}, { suite: 'nightly' }),
        await suiteRunOf(services, server, { suite: 'nightly', name: 'busy' }),
      ],
      { isMadeUp: true },
    );
    expect(text).toMatch(/^nightly: single-stream\nmodel/);
    expect(text).toContain("\n\nnightly: busy, server, 0.5 of the first model's throughput");
    expect(text).toMatch(/\n\ninputs are made up: .*$/);
  });

  it('says under its table why a result is invalid', async () => {
    const run = await suiteRunOf(services, { minQueries: 1_000_000, maxDurationSeconds: 2 });
    expect(renderBench([run], made)).toMatch(/^invalid: fp32.onnx: Measured \d+ queries, fewer than/m);
  });
});

describe('renderSummaries', () => {
  it('tells what the scenario is judged by, and whether the minima were reached', async () => {
    const [first] = renderSummaries([await suiteRunOf(services)]).split('\n\n');
    expect(first).toMatchInlineSnapshot(`
      "single-stream – fp32.onnx
        scenario                single-stream
        result                  VALID
        judged by               90th percentile latency
          measured              2.00 ms
          early stopping        at most 2.00 ms with 99 % confidence
        throughput              500.00 samples/s
        queries                 1008 of at least 100 (satisfied)
        measured for            2.02 s of at least 2.00 s (satisfied)
        latency                 min 2.00 ms, mean 2.00 ms, max 2.00 ms
          p50                   2.00 ms
          p90                   2.00 ms
          p95                   2.00 ms
          p97                   2.00 ms
          p99                   2.00 ms
          p99.9                 2.00 ms
        peak memory             64.0 MiB"
    `);
  });

  it('judges a schedule by its bound, which the estimate has to keep', async () => {
    const server = {
      scenario: 'server',
      ratePerSecond: 100,
      minDurationSeconds: 20,
      latencyBoundPermille: 900,
    } as const;
    const kept = renderSummaries([await suiteRunOf(services, { ...server, latencyBoundSeconds: 0.05 })]);
    expect(kept).toContain('judged by               90th percentile latency');
    expect(kept).toContain('latency bound           50.0 ms (met)');
    expect(kept).toMatch(/queries offered +\d+\.\d\/s, completed \d+\.\d\/s/);
    const broken = renderSummaries([await suiteRunOf(services, { ...server, latencyBoundSeconds: 0.0021 })]);
    expect(broken).toContain('latency bound           2.10 ms (missed)');
  });

  it('says how many queries an estimate would have taken', async () => {
    const run = await suiteRunOf(services, {
      scenario: 'multi-stream',
      samplesPerQuery: 1,
      minDurationSeconds: 0.2,
    });
    expect(renderSummaries([run])).toMatch(/early stopping +– \(takes 662 queries, and there are \d+\)/);
  });

  it('judges throughput where MLPerf does', async () => {
    const text = renderSummaries([await suiteRunOf(services, { scenario: 'offline' })]);
    expect(text).toContain('judged by               throughput');
    expect(text).toMatch(/runs of the model +\d+ of at least 100 \(satisfied\)/);
  });
});
