import { countsByBound } from '../benchmark/statistics/latency-histogram.ts';
import type { Profile } from '../config/profile.ts';
import { PROFILE_SUITE } from '../config/suite.ts';
import type { Problem } from '../core/problem.ts';
import type { JobFailureReason } from '../metrics/job-metrics.ts';
import type { Metrics } from '../metrics/metrics.ts';
import {
  type BenchObservation,
  type EvaluationObservation,
  QUERY_BOUNDS_SECONDS,
  type QueryObservations,
} from '../metrics/result-metrics.ts';
import type { RunPhase } from '../metrics/run-metrics.ts';
import type { PhaseSummary } from '../telemetry/summary/phase-summary.ts';
import type { SuiteBenchResult } from './bench-suite.ts';
import type { ModelEvaluation } from './evaluate-task.ts';
import { FP32, type PipelineResult, type VariantOutcome } from './pipeline.ts';

/** Exports the result of a run as the last one of its model. */
export function recordResult(
  metrics: Metrics,
  profile: Profile,
  result: PipelineResult,
  finishedWallMs: number,
): void {
  for (const outcome of result.variants) {
    const { variant, sizeBytes, evaluation } = outcome;
    if (!isOfProfile(variant, profile)) continue;
    metrics.setModelSize({ model: profile.name, variant, sizeBytes });
    if (evaluation !== undefined) metrics.recordEvaluation(toEvaluation(profile, variant, evaluation));
    for (const bench of outcome.bench) metrics.recordBench(toBench(profile, outcome, bench, finishedWallMs));
  }
}

/** An earlier run may have made variants that the profile no longer has, and a run may measure artifacts only to compare with. */
function isOfProfile(variant: string, profile: Profile): boolean {
  return variant === FP32 || profile.variants.some(({ name }) => name === variant);
}

/** Exports what a run took, as the timeline saw it. */
export function recordRunUse(
  metrics: Pick<Metrics, 'recordRun'>,
  profile: Profile,
  { seconds, timeline }: PipelineResult,
  finishedWallMs: number,
): void {
  metrics.recordRun({
    model: profile.name,
    durationSeconds: seconds,
    finishedWallMs,
    phases: joinPhases(timeline?.phases ?? []),
  });
}

/** A phase that ran several times for one subject is one: what adds up is added, and a peak is the largest. */
function joinPhases(summaries: readonly PhaseSummary[]): readonly RunPhase[] {
  const joined = new Map<string, RunPhase>();
  for (const summary of summaries) {
    const phase = toPhase(summary);
    const key = `${phase.phase} ${phase.subject}`;
    const before = joined.get(key);
    joined.set(key, before === undefined ? phase : addPhase(before, phase));
  }
  return [...joined.values()];
}

function toPhase({ phase, subject = '', seconds, processes, gpus, rapl }: PhaseSummary): RunPhase {
  const gpuMemory = sumKnown((gpus ?? []).map(({ memoryPeakBytes }) => memoryPeakBytes));
  const gpuEnergy = sumKnown((gpus ?? []).map(({ energyJoules }) => energyJoules));
  return {
    phase,
    subject,
    seconds,
    ...(gpuMemory === undefined ? {} : { peakGpuMemoryBytes: gpuMemory }),
    ...(rapl === undefined ? {} : { raplJoules: rapl.joules }),
    ...(gpuEnergy === undefined ? {} : { gpuJoules: gpuEnergy }),
    ...(processes === undefined
      ? {}
      : { peakRssBytes: processes.rssPeakBytes, cpuSeconds: processes.cpuSeconds, ...processes.io }),
  };
}

/** Undefined where there is nothing, or a part is not known. */
function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => (sum === undefined || value === undefined ? undefined : sum + value));
}

const PEAKS = new Set<keyof RunPhase>(['peakRssBytes', 'peakGpuMemoryBytes']);

function addPhase(one: RunPhase, other: RunPhase): RunPhase {
  const figures = Object.entries(other).map(([name, value]) => {
    const before = one[name as keyof RunPhase];
    if (typeof value !== 'number' || typeof before !== 'number') return [name, value];
    return [name, PEAKS.has(name as keyof RunPhase) ? Math.max(before, value) : before + value];
  });
  return { ...one, ...Object.fromEntries(figures) };
}

/** Exports the quantizations that a run really made, not took from the store. */
export function recordQuantizations(
  metrics: Metrics,
  profile: Profile,
  runId: string,
  result: PipelineResult,
): void {
  for (const { quantization } of result.variants) {
    if (quantization === undefined || quantization.reused) continue;
    metrics.recordQuantization({
      model: profile.name,
      method: quantization.calibration?.method ?? 'none',
      outcome: 'succeeded',
      durationSeconds: quantization.seconds,
      calibrationSamples: quantization.calibration?.samples ?? 0,
      runId,
    });
  }
}

/** Counts what the benchmarks of a run measured. */
export function countInferences(
  metrics: Pick<Metrics, 'countInferences' | 'observeQueries'>,
  profile: Profile,
  result: PipelineResult,
): void {
  for (const { variant, bench } of result.variants) {
    if (!isOfProfile(variant, profile)) continue;
    for (const measured of bench) {
      const { provider, samples } = measured;
      metrics.countInferences({ model: profile.name, variant, provider }, samples);
      metrics.observeQueries(toQueries(profile, variant, measured, result.trace?.run ?? null));
    }
  }
}

/** @param traceRun the name of the trace that has queries of the run */
function toQueries(
  profile: Profile,
  variant: string,
  { provider, scenario, suite, measurement, latencyHistogram, trace }: SuiteBenchResult,
  traceRun: string | null,
): QueryObservations {
  const boundsNs = QUERY_BOUNDS_SECONDS.map((seconds) => seconds * 1e9);
  return {
    model: profile.name,
    variant,
    provider,
    scenario,
    suite,
    measurement,
    counts: countsByBound(latencyHistogram, boundsNs),
    sumSeconds: latencyHistogram.sumNs / 1e9,
    traced: traceRun === null ? [] : (trace?.examples ?? []).map((call) => ({ traceRun, ...call })),
  };
}

function toBench(
  profile: Profile,
  outcome: VariantOutcome,
  bench: SuiteBenchResult,
  finishedWallMs: number,
): BenchObservation {
  const { latencySeconds, throughput, peakRssBytes, peakGpuMemoryBytes, arenaBytes, scenario, energy } =
    bench;
  const millijoules = energy?.millijoulesPerQuery ?? undefined;
  const known = Object.entries(latencySeconds ?? {}).filter(([, seconds]) => seconds !== null);
  const speedUp = outcome.speedUps[outcome.bench.indexOf(bench)];
  return {
    model: profile.name,
    variant: outcome.variant,
    provider: bench.provider,
    scenario,
    // Results of a version without suites have neither.
    suite: bench.suite ?? PROFILE_SUITE,
    measurement: bench.measurement ?? scenario,
    valid: bench.valid,
    inferencesPerSecond: throughput ?? Number.NaN,
    latencySeconds: Object.fromEntries(known) as BenchObservation['latencySeconds'],
    ...(peakRssBytes === null ? {} : { peakRssBytes }),
    // Results of older versions have neither of these.
    ...(peakGpuMemoryBytes == null ? {} : { peakGpuMemoryBytes }),
    ...(arenaBytes == null ? {} : { arenaBytes }),
    ...(millijoules === undefined ? {} : { joulesPerQuery: millijoules / 1e3 }),
    ...(speedUp === undefined ? {} : { speedUp }),
    finishedWallMs,
  };
}

function toEvaluation(profile: Profile, variant: string, evaluation: ModelEvaluation): EvaluationObservation {
  const {
    figures = [],
    metric,
    allowedDrop,
    agreement,
    sqnrDb,
    identical,
    verdict,
    drift,
    flipped,
  } = evaluation;
  // Without a metric of its own the first that has a value stands for accuracy.
  const judged = figures.find(({ name }) => name === metric) ?? figures.find(({ value }) => value !== null);
  return {
    model: profile.name,
    variant,
    dataset: profile.data.evaluation.split,
    ...(judged?.value == null || judged.reference === null
      ? {}
      : {
          accuracy: {
            metric: judged.name,
            unit: judged.unit,
            value: judged.value,
            baselineValue: judged.reference,
            ...(allowedDrop === undefined || judged.name !== metric ? {} : { lossBudget: allowedDrop }),
          },
        }),
    ...(drift === undefined ? {} : { driftedAnswers: drift.changed.count }),
    ...(flipped === undefined ? {} : { changedAnswers: flipped.count }),
    ...(agreement === undefined ? {} : { agreementRatio: agreement }),
    ...(sqnrDb === null ? (identical ? { sqnrDb: Number.POSITIVE_INFINITY } : {}) : { sqnrDb }),
    verdict,
  };
}

const REASONS: Readonly<Record<string, JobFailureReason>> = {
  'worker-killed': 'worker_crashed',
  'worker-crashed': 'worker_crashed',
  'memory-limit-exceeded': 'worker_crashed',
  'bench-locked': 'timed_out',
  'internal-fault': 'internal',
  'model-rejected-by-runtime': 'model_refused',
  'quantized-model-unusable': 'model_refused',
  'inference-failed': 'model_refused',
  'sut-timed-out': 'timed_out',
  'disk-full': 'disk',
  'disk-space-low': 'disk',
  'output-not-writable': 'disk',
  'artifact-not-published': 'disk',
};

/** The few words under which a failure is counted; whatever is not listed comes from the input. */
export function failureReason({ kind }: Problem): JobFailureReason {
  return REASONS[kind] ?? 'bad_input';
}
