import { describe, expect, it } from 'vitest';
import type { SpeedUp } from '../../../src/benchmark/compare.ts';
import {
  createLatencyHistogram,
  histogramToPlain,
  recordLatency,
} from '../../../src/benchmark/statistics/latency-histogram.ts';
import { problem } from '../../../src/core/problem.ts';
import type { SuiteBenchResult } from '../../../src/jobs/bench-suite.ts';
import type { PipelineResult, VariantOutcome } from '../../../src/jobs/pipeline.ts';
import {
  countInferences,
  failureReason,
  recordQuantizations,
  recordResult,
  recordRunUse,
} from '../../../src/jobs/result-metrics.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import type { RunObservation } from '../../../src/metrics/run-metrics.ts';
import type { PhaseSummary } from '../../../src/telemetry/summary/phase-summary.ts';
import {
  benchResultOf,
  evaluationOf,
  pipelineResultOf,
  quantizationOf,
} from '../../support/pipeline-result.ts';
import { profileOf } from '../../support/profile.ts';

const FINISHED_MS = 1_700_000_000_000;

async function exported(result: PipelineResult, profile = profileOf('tiny')): Promise<readonly string[]> {
  const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
  recordResult(metrics, profile, result, FINISHED_MS);
  recordQuantizations(metrics, profile, 'the-run', result);
  const { body } = await metrics.render();
  return body
    .split('\n')
    .filter((line) => line.includes('model="tiny"') || line.includes('quantize_duration'));
}

function withInt8(int8: Partial<VariantOutcome>): PipelineResult {
  const result = pipelineResultOf();
  const [fp32, made] = result.variants as [VariantOutcome, VariantOutcome];
  return { ...result, variants: [fp32, { ...made, ...int8 }] };
}

function speedUpOf({ variants }: PipelineResult): SpeedUp {
  return variants.flatMap(({ speedUps }) => speedUps)[0] as SpeedUp;
}

describe('recordResult', () => {
  it('exports size, speed and accuracy of every variant under its name', async () => {
    const lines = await exported(pipelineResultOf());
    const bench =
      'provider="CPUExecutionProvider",scenario="single-stream",suite="profile",measurement="single-stream"';
    expect(lines).toEqual(
      expect.arrayContaining([
        'ptq_model_size_bytes{model="tiny",variant="fp32"} 1000',
        'ptq_model_size_bytes{model="tiny",variant="int8"} 300',
        `ptq_bench_throughput_inferences_per_second{model="tiny",variant="int8",${bench}} 2000`,
        `ptq_bench_latency_seconds{model="tiny",variant="int8",${bench},percentile="50"} 0.0005`,
        `ptq_bench_speedup_ratio{model="tiny",variant="int8",${bench}} 2`,
        `ptq_bench_peak_rss_bytes{model="tiny",variant="fp32",${bench}} 1048576`,
        `ptq_bench_valid{model="tiny",variant="int8",${bench}} 1`,
        `ptq_bench_last_success_timestamp_seconds{model="tiny",variant="int8",${bench}} 1700000000`,
        'ptq_accuracy_ratio{model="tiny",variant="int8",dataset="eval",metric="top1"} 0.9',
        'ptq_accuracy_baseline_ratio{model="tiny",variant="int8",dataset="eval",metric="top1"} 0.92',
        'ptq_accuracy_drop_budget_ratio{model="tiny",variant="int8",dataset="eval",metric="top1"} 0.05',
        'ptq_agreement_ratio{model="tiny",variant="int8",dataset="eval"} 0.96',
        'ptq_sqnr_decibels{model="tiny",variant="int8",dataset="eval"} 30',
        'ptq_accuracy_verdict{model="tiny",variant="int8",verdict="non_inferior"} 1',
        'ptq_accuracy_verdict{model="tiny",variant="int8",verdict="regressed"} 0',
      ]),
    );
    expect(lines.filter((line) => /speedup|accuracy|agreement/.test(line) && line.includes('fp32'))).toEqual(
      [],
    );
  });

  it('leaves out percentiles that the run was too short for', async () => {
    const lines = await exported(pipelineResultOf());
    expect(lines.filter((line) => line.includes('percentile="99.9"'))).toEqual([]);
  });

  it('has the energy of a query where something counted it', async () => {
    const energy = { millijoulesPerQuery: 2.5 } as SuiteBenchResult['energy'];
    const lines = await exported(withInt8({ bench: [benchResultOf('int8', { energy })] }));
    expect(lines.filter((line) => line.startsWith('ptq_bench_query_energy'))).toEqual([
      expect.stringMatching(/variant="int8".* 0.0025$/),
    ]);
  });

  it('pairs each scenario with its own speed-up', async () => {
    const single = speedUpOf(pipelineResultOf());
    const lines = await exported(
      withInt8({
        bench: [benchResultOf('int8'), benchResultOf('int8', { scenario: 'offline' })],
        speedUps: [single, { ...single, ratio: 3 }],
      }),
    );
    const speedups = lines
      .filter((line) => line.startsWith('ptq_bench_speedup_ratio'))
      .map((line) => line.split(' ')[1]);
    expect(speedups).toEqual(['2', '3']);
  });

  it('takes results of a version without suites for those of the profile', async () => {
    const old = JSON.parse(JSON.stringify(pipelineResultOf())) as {
      variants: { bench: Record<string, unknown>[] }[];
    };
    for (const result of old.variants.flatMap(({ bench }) => bench)) {
      delete result['suite'];
      delete result['measurement'];
    }
    const lines = await exported(old as unknown as PipelineResult);
    expect(lines).toContainEqual(
      expect.stringMatching(/^ptq_bench_valid\{.*suite="profile",measurement="single-stream"\} 1$/),
    );
  });

  it('has no speed-up where too few rounds were measured, and says so', async () => {
    const single = speedUpOf(pipelineResultOf());
    const unknown = { ratio: null, lower: null, upper: null, outcome: 'too-few-rounds' } as const;
    const lines = await exported(withInt8({ speedUps: [{ ...single, ...unknown }] }));
    expect(lines.filter((line) => line.includes('speedup'))).toEqual([]);
    expect(lines.filter((line) => /^ptq_bench_speed_outcome.* 1$/.test(line))).toEqual([
      expect.stringContaining('outcome="too-few-rounds"'),
    ]);
  });

  it('exports the interval of a speed-up and what it says', async () => {
    const slower = { ratio: 0.9, lower: 0.85, upper: 0.95, outcome: 'slower' } as const;
    const lines = await exported(withInt8({ speedUps: [{ ...speedUpOf(pipelineResultOf()), ...slower }] }));
    const told = lines.filter((line) => /^ptq_bench_speed/.test(line) && !line.endsWith(' 0'));
    expect(told).toEqual([
      expect.stringMatching(/^ptq_bench_speedup_ratio\{.* 0\.9$/),
      expect.stringMatching(/^ptq_bench_speedup_lower_ratio\{.* 0\.85$/),
      expect.stringMatching(/^ptq_bench_speedup_upper_ratio\{.* 0\.95$/),
      expect.stringMatching(/^ptq_bench_speed_outcome\{.*outcome="slower"\} 1$/),
    ]);
  });

  it('exports an invalid benchmark as such, without calling it a success', async () => {
    const bench = benchResultOf('int8', { valid: false, peakRssBytes: null, throughput: null });
    const lines = (await exported(withInt8({ bench: [bench] }))).filter((line) => line.includes('int8'));
    expect(lines).toContainEqual(expect.stringMatching(/^ptq_bench_valid.* 0$/));
    expect(lines.filter((line) => /last_success|peak_rss/.test(line))).toEqual([]);
  });

  it('exports memory of GPUs and of the arena where it is known, and none of results of versions without', async () => {
    const bench = benchResultOf('int8', { peakGpuMemoryBytes: 7_000, arenaBytes: 300 });
    const lines = await exported(withInt8({ bench: [bench] }));
    expect(lines.filter((line) => /gpu_memory|arena/.test(line))).toEqual([
      expect.stringMatching(/^ptq_bench_peak_gpu_memory_bytes\{.*variant="int8".*\} 7000$/),
      expect.stringMatching(/^ptq_bench_arena_bytes\{.*variant="int8".*\} 300$/),
    ]);
    const { peakGpuMemoryBytes, arenaBytes, ...old } = bench;
    expect([peakGpuMemoryBytes, arenaBytes]).toEqual([7_000, 300]);
    const oldLines = await exported(withInt8({ bench: [old as typeof bench] }));
    expect(oldLines.filter((line) => /gpu_memory|arena/.test(line))).toEqual([]);
  });

  it('shows equal outputs as an infinite SQNR, also after the result was JSON', async () => {
    const identical = withInt8({ evaluation: evaluationOf({ sqnrDb: null, identical: true }) });
    const lines = await exported(JSON.parse(JSON.stringify(identical)) as PipelineResult);
    expect(lines).toContain('ptq_sqnr_decibels{model="tiny",variant="int8",dataset="eval"} +Inf');
  });

  it('leaves out a variant that the profile no longer has', async () => {
    const lines = await exported(pipelineResultOf(), profileOf('tiny', { variants: [] }));
    expect(lines.filter((line) => line.includes('int8'))).toEqual([]);
    expect(lines.some((line) => line.includes('fp32'))).toBe(true);
  });
});

describe('countInferences', () => {
  it('adds what every benchmark of a variant measured to what earlier runs did', async () => {
    const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
    const bench = [benchResultOf('int8'), benchResultOf('int8', { scenario: 'offline', samples: 500 })];
    countInferences(metrics, profileOf('tiny'), withInt8({ bench }));
    countInferences(metrics, profileOf('tiny'), withInt8({ bench }));
    const { body } = await metrics.render();
    expect(body.split('\n').filter((line) => line.startsWith('ptq_inferences_total{'))).toEqual([
      'ptq_inferences_total{model="tiny",variant="fp32",provider="CPUExecutionProvider"} 2000',
      'ptq_inferences_total{model="tiny",variant="int8",provider="CPUExecutionProvider"} 3000',
    ]);
  });
});

describe('what was measured only to compare with', () => {
  it('has no series', async () => {
    const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
    const [fp32, int8] = pipelineResultOf().variants as [VariantOutcome, VariantOutcome];
    const earlier = { ...int8, variant: 'int8@earlier' };
    const result = pipelineResultOf({ variants: [fp32, int8, earlier] });
    recordResult(metrics, profileOf('tiny'), result, FINISHED_MS);
    countInferences(metrics, profileOf('tiny'), result);
    expect((await metrics.render()).body).not.toContain('earlier');
  });
});

describe('queries of benchmarks', () => {
  const traced = { seconds: 0.003, wallMs: 1_790_000_000_250 };
  const latencyHistogram = {
    digits: 3,
    count: 3,
    sumNs: 7_000_001,
    minNs: 1,
    maxNs: 4_000_000,
    buckets: [
      [1, 1],
      [bucketOf(3_000_000), 1],
      [bucketOf(4_000_000), 1],
    ],
  } as const;
  const cost = {
    queries: 1,
    runs: 1,
    p50Seconds: { traced: 0.003, untraced: 0.0029 },
    costRatio: 1.03,
    examples: [traced],
    extraRssBytes: null,
  };

  async function queriesOf(result: PipelineResult, accept: string): Promise<readonly string[]> {
    const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
    countInferences(metrics, profileOf('tiny'), result);
    const { body } = await metrics.render(accept);
    return body
      .split('\n')
      .filter((line) => /^ptq_bench_query_duration_seconds.*int8.*le="(0.0025|0.005|\+Inf)"/.test(line));
  }

  it('lie in buckets, and those of a trace are exemplars for whoever reads OpenMetrics', async () => {
    const bench = [benchResultOf('int8', { latencyHistogram, trace: cost })];
    const trace = {
      run: '2026_09_21_13_33_20',
      path: '/t',
      perfettoPath: '/p',
      bytes: 1,
      models: [],
      warnings: [],
    };
    const result = { ...withInt8({ bench }), trace };
    const lines = await queriesOf(result, 'application/openmetrics-text');
    expect(lines.map((line) => line.replace(/.*le=/, 'le='))).toEqual([
      'le="0.0025"} 1',
      'le="0.005"} 3 # {trace_run="2026_09_21_13_33_20"} 0.003 1790000000.25',
      'le="+Inf"} 3',
    ]);
    const text = await queriesOf(result, 'text/plain');
    expect(text.map((line) => line.replace(/.*le=/, 'le='))).toEqual([
      'le="0.0025"} 1',
      'le="0.005"} 3',
      'le="+Inf"} 3',
    ]);
  });

  it('have no exemplars where the trace could not be made', async () => {
    const bench = [benchResultOf('int8', { latencyHistogram, trace: cost })];
    const trace = { run: null, path: null, perfettoPath: null, bytes: 0, models: [], warnings: ['no space'] };
    const lines = await queriesOf({ ...withInt8({ bench }), trace }, 'application/openmetrics-text');
    expect(lines.some((line) => line.includes('trace_run'))).toBe(false);
  });
});

/** The bucket of a histogram that holds one latency. */
function bucketOf(latencyNs: number): number {
  const histogram = createLatencyHistogram(3);
  recordLatency(histogram, latencyNs);
  return histogramToPlain(histogram).buckets[0]?.[0] as number;
}

describe('recordQuantizations', () => {
  it('counts a quantization that was made, and not one that was reused', async () => {
    const made = await exported(withInt8({ quantization: { ...quantizationOf(), reused: false } }));
    expect(made).toContain('ptq_calibration_samples_total{model="tiny"} 16');
    expect(made.filter((line) => line.includes('the-run'))).toEqual([]);
    const reused = await exported(withInt8({ quantization: { ...quantizationOf(), reused: true } }));
    expect(reused.filter((line) => line.includes('ptq_calibration_samples_total'))).toEqual([]);
  });
});

describe('recordQuantizations in OpenMetrics', () => {
  it('says beside the bucket which run took so long', async () => {
    const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
    const result = withInt8({ quantization: { ...quantizationOf(), reused: false } });
    recordQuantizations(metrics, profileOf('tiny'), 'the-run', result);
    const { body } = await metrics.render('application/openmetrics-text');
    expect(body.split('\n').filter((line) => line.includes(' # {run_id="the-run"} '))).toHaveLength(1);
  });
});

describe('recordRunUse', () => {
  const phase = (more: Partial<PhaseSummary>): PhaseSummary => ({
    phase: 'bench',
    seconds: 1,
    samples: 10,
    coverageRatio: 1,
    longestGapSeconds: 0.1,
    ...more,
  });
  const processes = { rssMeanBytes: 5, rssPeakBytes: 10, cpuSeconds: 0.5 };

  function observed(phases?: readonly PhaseSummary[]): RunObservation | undefined {
    let told: RunObservation | undefined;
    const result = {
      ...pipelineResultOf(),
      seconds: 12,
      ...(phases === undefined
        ? {}
        : { timeline: { file: 'timeline', snapshots: 1, droppedSnapshots: 0, phases } }),
    } as PipelineResult;
    const recordRun = (observation: RunObservation) => {
      told = observation;
    };
    recordRunUse({ recordRun }, profileOf('tiny'), result, FINISHED_MS);
    return told;
  }

  it('adds up what a phase took each time that it ran, and keeps the largest peak', () => {
    expect(
      observed([
        phase({ subject: 'alone', processes: { ...processes, io: { readBytes: 1, writtenBytes: 2 } } }),
        phase({ subject: 'alone', processes: { ...processes, rssPeakBytes: 8 } }),
        phase({ phase: 'evaluate' }),
        phase({ subject: 'alone', processes: { ...processes, io: { readBytes: 10, writtenBytes: 20 } } }),
      ]),
    ).toEqual({
      model: 'tiny',
      durationSeconds: 12,
      finishedWallMs: FINISHED_MS,
      phases: [
        {
          phase: 'bench',
          subject: 'alone',
          seconds: 3,
          peakRssBytes: 10,
          cpuSeconds: 1.5,
          readBytes: 11,
          writtenBytes: 22,
        },
        { phase: 'evaluate', subject: '', seconds: 1 },
      ],
    });
  });

  it('adds up what all GPUs and the processors took, and tells no part for all of it', () => {
    const gpu = { uuid: 'GPU-1', index: 0, name: 'A100', throttledBy: [], throttledSeconds: 0 };
    const rapl = { joules: 20, meanWatts: 10 };
    const gpus = [
      { ...gpu, memoryPeakBytes: 5, energyJoules: 7 },
      { ...gpu, uuid: 'GPU-2', memoryPeakBytes: 6 },
    ];
    expect(observed([phase({ gpus, rapl }), phase({ gpus, rapl })])?.phases).toEqual([
      { phase: 'bench', subject: '', seconds: 2, peakGpuMemoryBytes: 11, raplJoules: 40 },
    ]);
  });

  it('tells how long a run took that has no timeline', () => {
    expect(observed()).toMatchObject({ durationSeconds: 12, phases: [] });
  });
});

describe('failureReason', () => {
  it.each([
    ['worker-killed', 'worker_crashed'],
    ['memory-limit-exceeded', 'worker_crashed'],
    ['bench-locked', 'timed_out'],
    ['model-rejected-by-runtime', 'model_refused'],
    ['sut-timed-out', 'timed_out'],
    ['artifact-not-published', 'disk'],
    ['internal-fault', 'internal'],
    ['not-onnx', 'bad_input'],
  ])('counts %s as %s', (kind, reason) => {
    expect(failureReason(problem(kind, ''))).toBe(reason);
  });
});
