import { absoluteCounterFamily, gaugeFamily, type MakeGauge, type MetricRegistry } from './families.ts';
import { HistogramFamily } from './histogram-family.ts';
import { createSpeedUp, type SpeedUpObservation } from './speed-metrics.ts';

const VERDICTS = ['non_inferior', 'degraded_within_budget', 'regressed', 'inconclusive', 'invalid'] as const;

export type VerdictLabel = (typeof VERDICTS)[number];

/** A benchmark run that ended. Names are those of the profile; nothing here may be made from a request. */
export interface BenchObservation {
  readonly model: string;
  readonly variant: string;
  readonly provider: string;
  readonly scenario: string;
  /** The suite that measured it; `profile` for the scenarios of a profile itself. */
  readonly suite: string;
  /** Its name in the suite; the scenario unless it has another. */
  readonly measurement: string;
  readonly valid: boolean;
  readonly inferencesPerSecond: number;
  /** Percentiles that the run was long enough to tell. */
  readonly latencySeconds: Readonly<Partial<Record<LatencyPercentile, number>>>;
  readonly peakRssBytes?: number;
  /** Absent where nobody read the GPUs, or they do not tell whose memory is whose. */
  readonly peakGpuMemoryBytes?: number;
  /** Absent where the runtime does not tell. */
  readonly arenaBytes?: number;
  /** Energy that the host took for a query; absent where nothing counts it. */
  readonly joulesPerQuery?: number;
  /** Against fp32 in the same measurement; absent for fp32 itself. */
  readonly speedUp?: SpeedUpObservation;
  /** Milliseconds since the Unix epoch. */
  readonly finishedWallMs: number;
}

export interface EvaluationObservation {
  readonly model: string;
  readonly variant: string;
  /** A name for the data, such as its split. */
  readonly dataset: string;
  readonly accuracy?: {
    readonly metric: string;
    /** `number`: an error with a unit of its own, such as a mean absolute error. */
    readonly unit: 'proportion' | 'number';
    readonly value: number;
    readonly baselineValue: number;
    /** The largest loss that is accepted, in units of the metric. */
    readonly lossBudget?: number;
  };
  /** Samples to which the variant gives another answer than fp32. */
  readonly changedAnswers?: number;
  readonly agreementRatio?: number;
  /** Samples to which the variant no longer gives the answer that it gave when its outputs were recorded. */
  readonly driftedAnswers?: number;
  /** Infinite where the outputs are equal. */
  readonly sqnrDb?: number;
  readonly verdict?: VerdictLabel;
}

/** Queries that a benchmark measured. */
export interface QueryObservations
  extends Pick<BenchObservation, 'model' | 'variant' | 'provider' | 'scenario' | 'suite' | 'measurement'> {
  /** One for each of `QUERY_BOUNDS_SECONDS`, and the last for those above all of them. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
  /** Queries that are in a trace. */
  readonly traced: readonly {
    readonly traceRun: string;
    readonly seconds: number;
    readonly wallMs: number;
  }[];
}

/** From what the smallest models take to what nobody waits for. */
export const QUERY_BOUNDS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export interface ResultMetrics {
  recordBench(observation: BenchObservation): void;
  recordEvaluation(observation: EvaluationObservation): void;
  /** Counts samples that benchmarks measured. */
  countInferences(
    of: { readonly model: string; readonly variant: string; readonly provider: string },
    samples: number,
  ): void;
  /** Adds queries of a benchmark to those since the daemon started. */
  observeQueries(queries: QueryObservations): void;
  setModelSize(size: { readonly model: string; readonly variant: string; readonly sizeBytes: number }): void;
}

// Prometheus keeps the label name `quantile` for summaries; its linter refuses it on a gauge.
const PERCENTILE_LABELS = { p50: '50', p90: '90', p95: '95', p99: '99', p999: '99.9' } as const;

type LatencyPercentile = keyof typeof PERCENTILE_LABELS;

const VARIANT_LABELS = ['model', 'variant'] as const;
const BENCH_LABELS = [...VARIANT_LABELS, 'provider', 'scenario', 'suite', 'measurement'] as const;
const EVALUATION_LABELS = [...VARIANT_LABELS, 'dataset'] as const;
const ACCURACY_LABELS = [...EVALUATION_LABELS, 'metric'] as const;

/** Registers the metrics of results: the last run of every model and variant, as gauges. */
export function createResultMetrics(registry: MetricRegistry): ResultMetrics {
  const gauge: MakeGauge = (name, help, labelNames) => gaugeFamily({ registry, name, help, labelNames });
  const recordBench = createBench(gauge);
  const recordEvaluation = createEvaluation(gauge);
  const inferences = absoluteCounterFamily({
    registry,
    name: 'ptq_inferences_total',
    help: 'Samples that benchmarks measured since the daemon started, warm-ups left out.',
    labelNames: [...VARIANT_LABELS, 'provider'],
  });
  const queries = new HistogramFamily({
    registry,
    name: 'ptq_bench_query_duration_seconds',
    help: 'Time that queries of benchmarks took since the daemon started, from when they were due; of the offline scenario, that of one run. Exemplars are queries that a trace has.',
    labelNames: BENCH_LABELS,
    bounds: QUERY_BOUNDS_SECONDS,
  });
  const size = gauge('ptq_model_size_bytes', 'Size of the model file and its external data.', VARIANT_LABELS);
  return {
    recordBench,
    recordEvaluation,
    countInferences: (of, samples) => inferences.add(of, samples),
    observeQueries: ({ counts, sumSeconds, traced, ...labels }) =>
      queries.add(labels, {
        counts,
        sum: sumSeconds,
        exemplars: traced.map(({ traceRun, seconds, wallMs }) => ({
          labels: { trace_run: traceRun },
          value: seconds,
          wallMs,
        })),
      }),
    setModelSize: ({ model, variant, sizeBytes }) => size.set({ model, variant }, sizeBytes),
  };
}

function createBench(gauge: MakeGauge): ResultMetrics['recordBench'] {
  const throughput = gauge(
    'ptq_bench_throughput_inferences_per_second',
    'Samples a second in the last benchmark.',
    BENCH_LABELS,
  );
  const latency = gauge(
    'ptq_bench_latency_seconds',
    'Latency of a query in the last benchmark: a percentile of all queries, not of buckets.',
    [...BENCH_LABELS, 'percentile'],
  );
  const peakRss = gauge(
    'ptq_bench_peak_rss_bytes',
    'The largest resident set of the process that ran the last benchmark.',
    BENCH_LABELS,
  );
  const peakGpuMemory = gauge(
    'ptq_bench_peak_gpu_memory_bytes',
    'The most memory of GPUs that the process that ran the last benchmark was seen to hold at once.',
    BENCH_LABELS,
  );
  const arena = gauge(
    'ptq_bench_arena_bytes',
    "What the runtime's arena had from the system at most, in one session that was profiled after the last benchmark.",
    BENCH_LABELS,
  );
  const energy = gauge(
    'ptq_bench_query_energy_joules',
    'Energy that the processors, and of a benchmark on a GPU its GPUs, took for a query of the last benchmark, whatever else they did included.',
    BENCH_LABELS,
  );
  const showSpeedUp = createSpeedUp(gauge, BENCH_LABELS);
  const valid = gauge(
    'ptq_bench_valid',
    '1 if the last benchmark kept the rules of its scenario, otherwise 0.',
    BENCH_LABELS,
  );
  const lastSuccess = gauge(
    'ptq_bench_last_success_timestamp_seconds',
    'When the last valid benchmark ended.',
    BENCH_LABELS,
  );
  return (run) => {
    const { model, variant, provider, scenario, suite, measurement } = run;
    const labels = { model, variant, provider, scenario, suite, measurement };
    throughput.set(labels, run.inferencesPerSecond);
    for (const [name, percentile] of Object.entries(PERCENTILE_LABELS) as [LatencyPercentile, string][]) {
      latency.set({ ...labels, percentile }, run.latencySeconds[name]);
    }
    peakRss.set(labels, run.peakRssBytes);
    peakGpuMemory.set(labels, run.peakGpuMemoryBytes);
    arena.set(labels, run.arenaBytes);
    energy.set(labels, run.joulesPerQuery);
    showSpeedUp(labels, run.speedUp);
    valid.set(labels, run.valid ? 1 : 0);
    if (run.valid) lastSuccess.set(labels, run.finishedWallMs / 1e3);
  };
}

function createEvaluation(gauge: MakeGauge): ResultMetrics['recordEvaluation'] {
  const accuracy = gauge(
    'ptq_accuracy_ratio',
    'The accuracy metric that the variant is judged by: top-1, mAP, F1, word error rate and others that are ratios.',
    ACCURACY_LABELS,
  );
  const baseline = gauge(
    'ptq_accuracy_baseline_ratio',
    'The same metric for fp32 on the same samples.',
    ACCURACY_LABELS,
  );
  const budget = gauge(
    'ptq_accuracy_drop_budget_ratio',
    'The largest drop against fp32 that the profile accepts, in units of the metric.',
    ACCURACY_LABELS,
  );
  const ratios = { value: accuracy, baseline, budget };
  const numbers = {
    value: gauge(
      'ptq_accuracy_value',
      'The accuracy metric of the variant where it is no ratio, such as a mean absolute error, in its own unit.',
      ACCURACY_LABELS,
    ),
    baseline: gauge(
      'ptq_accuracy_baseline_value',
      'The same metric for fp32 on the same samples.',
      ACCURACY_LABELS,
    ),
    budget: gauge(
      'ptq_accuracy_loss_budget_value',
      'The largest loss against fp32 that the profile accepts, in units of the metric.',
      ACCURACY_LABELS,
    ),
  };
  const changed = gauge(
    'ptq_changed_answers',
    'Samples to which the variant gives another answer than fp32.',
    EVALUATION_LABELS,
  );
  const verdicts = gauge(
    'ptq_accuracy_verdict',
    '1 for the verdict of the last evaluation, 0 for the others: non_inferior, degraded_within_budget, regressed, inconclusive, invalid.',
    [...VARIANT_LABELS, 'verdict'],
  );
  const agreement = gauge(
    'ptq_agreement_ratio',
    'Share of samples on which fp32 and the variant answer alike.',
    EVALUATION_LABELS,
  );
  const sqnr = gauge(
    'ptq_sqnr_decibels',
    'Signal to quantization noise of the outputs; +Inf where they are equal.',
    EVALUATION_LABELS,
  );
  const drifted = gauge(
    'ptq_golden_changed_answers',
    'Samples to which the same model no longer gives the answer that it gave when its outputs were recorded; more than 0 is a fault of the host, the runtime or the file.',
    EVALUATION_LABELS,
  );
  return ({ model, variant, dataset, ...result }) => {
    const labels = { model, variant, dataset };
    // A profile whose metric changed must not keep the value of the old one.
    for (const family of [...Object.values(ratios), ...Object.values(numbers)]) {
      family.removeWhere((of) => of.model === model && of.variant === variant && of.dataset === dataset);
    }
    if (result.accuracy !== undefined) {
      const { metric, unit, value, baselineValue, lossBudget } = result.accuracy;
      const families = unit === 'proportion' ? ratios : numbers;
      families.value.set({ ...labels, metric }, value);
      families.baseline.set({ ...labels, metric }, baselineValue);
      families.budget.set({ ...labels, metric }, lossBudget);
    }
    agreement.set(labels, result.agreementRatio);
    sqnr.set(labels, result.sqnrDb);
    drifted.set(labels, result.driftedAnswers);
    changed.set(labels, result.changedAnswers);
    for (const verdict of VERDICTS) {
      const value = result.verdict === undefined ? undefined : Number(verdict === result.verdict);
      verdicts.set({ model, variant, verdict }, value);
    }
  };
}
