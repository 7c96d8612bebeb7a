import { Counter, Histogram } from 'prom-client';
import { RUN_STATES, type RunState } from '../core/run-terms.ts';
import { gaugeFamily, type MetricRegistry } from './families.ts';

/** Why a job failed, in few enough words to be a label. */
const JOB_FAILURE_REASONS = [
  'bad_input',
  'model_refused',
  'worker_crashed',
  'timed_out',
  'out_of_memory',
  'disk',
  'internal',
] as const;

/** How captures end: `refused` never began, `empty` had nothing to show. */
const CAPTURE_OUTCOMES = ['succeeded', 'empty', 'cancelled', 'failed', 'refused'] as const;

export type CaptureOutcome = (typeof CAPTURE_OUTCOMES)[number];
export type JobFailureReason = (typeof JOB_FAILURE_REASONS)[number];

export interface QuantizationObservation {
  /** The name of the profile. */
  readonly model: string;
  /** The calibration method, such as `minmax`; `none` for a recipe without calibration. */
  readonly method: string;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  readonly durationSeconds: number;
  readonly calibrationSamples: number;
  /** The run that did it. It becomes an exemplar, which OpenMetrics carries beside a bucket, and no label. */
  readonly runId: string;
}

export interface ExpectedModel {
  readonly model: string;
  /** The calibration methods of its variants. */
  readonly methods: readonly string[];
  /** The longest time between two runs of its schedule; absent without one. */
  readonly scheduleSeconds?: number;
}

export interface JobMetrics {
  /** How many jobs are in each state; a state that is left out has none. */
  setJobs(counts: Readonly<Partial<Record<RunState, number>>>): void;
  countJobFailure(reason: JobFailureReason): void;
  countCapture(outcome: CaptureOutcome): void;
  recordQuantization(observation: QuantizationObservation): void;
  /** Begins the counters of a registered model at zero, which lets `increase()` see its first run, and tells its schedule. */
  expectModel(expected: ExpectedModel): void;
  /** Takes away what was counted of the calibrations of a model. */
  forgetCalibrations(model: string): void;
}

// From a toy model on a fast host to an entropy calibration of a large one.
const DURATION_BUCKETS_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

/** Registers the metrics of the job queue and of quantization. */
export function createJobMetrics(registry: MetricRegistry): JobMetrics {
  const jobs = gaugeFamily({
    registry,
    name: 'ptq_jobs',
    help: 'Runs in the store by state: queued, running, succeeded, failed, cancelled, interrupted, expired.',
    labelNames: ['state'],
  });
  const failures = new Counter({
    registers: [registry],
    name: 'ptq_job_failures_total',
    help: 'Runs that failed since the daemon started, by reason: bad_input, model_refused, worker_crashed, timed_out, out_of_memory, disk, internal.',
    labelNames: ['reason'],
  });
  const captures = new Counter({
    registers: [registry],
    name: 'ptq_captures_total',
    help: 'Captures of a trace that were asked for, by outcome: succeeded, empty, cancelled, failed, refused.',
    labelNames: ['outcome'],
  });
  const durations = new Histogram<string>({
    registers: [registry],
    name: 'ptq_quantize_duration_seconds',
    help: 'Time that quantizing a model took, calibration included; artifacts taken from the store are not counted.',
    labelNames: ['method', 'outcome'],
    buckets: DURATION_BUCKETS_SECONDS,
    enableExemplars: true,
  });
  const samples = new Counter({
    registers: [registry],
    name: 'ptq_calibration_samples_total',
    help: 'Samples that calibration ran through the model.',
    labelNames: ['model'],
  });

  const schedules = gaugeFamily({
    registry,
    name: 'ptq_schedule_interval_seconds',
    help: 'The longest time between two runs of the model by its schedule; without a series it has none.',
    labelNames: ['model'],
  });

  const setJobs: JobMetrics['setJobs'] = (counts) =>
    jobs.replaceAll(RUN_STATES.map((state) => ({ labels: { state }, value: counts[state] ?? 0 })));
  setJobs({});
  // A series that begins at zero lets increase() see the first failure.
  for (const reason of JOB_FAILURE_REASONS) failures.inc({ reason }, 0);
  for (const outcome of CAPTURE_OUTCOMES) captures.inc({ outcome }, 0);
  const begun = new Set<string>();
  return {
    setJobs,
    countJobFailure: (reason) => failures.inc({ reason }),
    countCapture: (outcome) => captures.inc({ outcome }),
    recordQuantization: ({ model, method, outcome, durationSeconds, calibrationSamples, runId }) => {
      begun.add(method);
      durations.observe({
        labels: { method, outcome },
        value: durationSeconds,
        exemplarLabels: { run_id: runId },
      });
      samples.inc({ model }, calibrationSamples);
    },
    expectModel: ({ model, methods, scheduleSeconds }) => {
      schedules.set({ model }, scheduleSeconds);
      samples.inc({ model }, 0);
      for (const method of methods.filter((each) => !begun.has(each))) {
        durations.zero({ method, outcome: 'succeeded' });
        begun.add(method);
      }
    },
    forgetCalibrations: (model) => samples.remove({ model }),
  };
}
