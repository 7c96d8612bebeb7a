import type { SuiteBenchResult } from '../../src/jobs/bench-suite.ts';
import type { ModelEvaluation } from '../../src/jobs/evaluate-task.ts';
import type { PipelineResult } from '../../src/jobs/pipeline.ts';
import type { QuantizeReport } from '../../src/jobs/quantize-task.ts';
import { STATIC_INT8 } from '../../src/quantization/recipe.ts';

/** A benchmark of one variant: fp32 takes a millisecond, others half of it. */
export function benchResultOf(variant: string, more: Partial<SuiteBenchResult> = {}): SuiteBenchResult {
  const seconds = variant === 'fp32' ? 0.001 : 0.0005;
  return {
    model: 'tiny',
    variant,
    device: 'cpu',
    provider: 'CPUExecutionProvider',
    threads: 1,
    scenario: 'single-stream',
    suite: 'profile',
    measurement: more.scenario ?? 'single-stream',
    valid: true,
    invalidReasons: [],
    queries: 1000,
    samples: 1000,
    durationSeconds: 1000 * seconds,
    latencySeconds: {
      min: seconds,
      mean: seconds,
      max: seconds * 3,
      p50: seconds,
      p90: seconds,
      p95: seconds,
      p99: seconds * 2,
      p999: null,
    } as SuiteBenchResult['latencySeconds'],
    concurrency: 1,
    batch: 1,
    latencyIntervalsSeconds: { p50: null, p90: null, p99: null },
    latencyHistogram: { digits: 3, count: 0, sumNs: 0, minNs: null, maxNs: null, buckets: [] },
    schedule: null,
    bound: null,
    outputCheck: null,
    coldStart: null,
    serviceTimeSeconds: null,
    medianIntervalSeconds: { lower: seconds, upper: seconds },
    throughput: 1 / seconds,
    outliers: {} as SuiteBenchResult['outliers'],
    warmup: { queries: 10, seconds: 0.1, steady: true },
    rounds: [],
    peakRssBytes: 2 ** 20,
    peakGpuMemoryBytes: null,
    arenaBytes: null,
    cpuSeconds: 1,
    contextSwitches: null,
    energy: null,
    cpus: '0-1',
    placement: null,
    sampling: null,
    trace: null,
    notObserved: [],
    ...more,
  };
}

/** A candidate that lost two points of accuracy, within its budget. */
export function evaluationOf(more: Partial<ModelEvaluation> = {}): ModelEvaluation {
  return {
    variant: 'int8',
    model: '/artifacts/int8.onnx',
    task: 'classification',
    n: 50,
    sqnrDb: 30,
    cosine: 0.999,
    maxAbsError: 0.1,
    identical: false,
    outputs: [],
    nonFinite: { count: 0, indices: [] },
    nonFiniteReference: { count: 0, indices: [] } as unknown as ModelEvaluation['nonFinite'],
    failed: { count: 0, indices: [] } as unknown as ModelEvaluation['failed'],
    skipped: { count: 0, indices: [], problems: [] },
    referenceReused: false,
    unused: { count: 0, names: [] },
    metric: 'top1',
    figures: [
      {
        name: 'top1',
        label: 'top-1',
        better: 'higher',
        unit: 'proportion',
        value: 0.9,
        interval: { lower: 0.78, upper: 0.97, confidence: 0.95 },
        reference: 0.92,
        referenceInterval: { lower: 0.81, upper: 0.98, confidence: 0.95 },
        loss: 0.02,
        lossInterval: { lower: -0.01, upper: 0.05, confidence: 0.95 },
      },
    ],
    top1: 0.9,
    top1Interval: { lower: 0.78, upper: 0.97, confidence: 0.95 },
    agreement: 0.96,
    reference: { top1: 0.92, top1Interval: { lower: 0.81, upper: 0.98, confidence: 0.95 } } as NonNullable<
      ModelEvaluation['reference']
    >,
    allowedDrop: 0.05,
    verdict: 'non_inferior',
    verdictReason: 'the loss is within the budget',
    ...more,
  };
}

export function quantizationOf(): QuantizeReport {
  return {
    model: '/models/tiny.onnx',
    output: '/data/artifacts/int8.onnx',
    recipe: STATIC_INT8,
    seconds: 1.5,
    peakRssBytes: 2 ** 26,
    calibration: {
      method: 'minmax',
      samples: 16,
      seconds: 0.5,
      inferenceSeconds: 0.25,
      peakRssBytes: 2 ** 26,
    },
    sizeBytes: { before: 1000, after: 300 },
    ops: { quantized: 3, float: [], fused: 2, notFused: [{ node: 'fc', op: 'Gemm', reason: 'no kernel' }] },
    selfCheck: { on: 'data', samples: 8, sqnrDb: 30 },
    warnings: [],
  };
}

/** A full run of a model with one variant that is twice as fast. */
export function pipelineResultOf(more: Partial<PipelineResult> = {}): PipelineResult {
  return {
    model: 'tiny',
    host: {
      cpuModel: 'a processor',
      logicalCpus: 2,
      architecture: 'x64',
      cpuFeatures: ['avx2'],
      memoryTotalBytes: 2 ** 34,
      kernel: 'Linux 6.0',
      nodeVersion: 'v20.20.0',
      onnxRuntimeVersion: '1.30.0',
      agentVersion: '0.1.0',
    },
    variants: [
      { variant: 'fp32', sizeBytes: 1000, bench: [benchResultOf('fp32')], speedUps: [] },
      {
        variant: 'int8',
        sizeBytes: 300,
        quantization: { ...quantizationOf(), reused: false },
        evaluation: evaluationOf(),
        bench: [benchResultOf('int8')],
        speedUps: [
          {
            base: 'fp32',
            candidate: 'int8',
            metric: 'median-latency',
            outcome: 'faster',
            ratio: 2,
            lower: 1.9,
            upper: 2.1,
            confidence: 0.95,
            noiseFloorRatio: 0.02,
            pairedRounds: 12,
            pairedProcesses: 6,
            valid: true,
          },
        ],
      },
    ],
    seconds: 12.3,
    ...more,
  };
}
