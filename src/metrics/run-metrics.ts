import type { MetricRegistry } from './families.ts';
import { familyGroup } from './family-table.ts';

/** A run of a model that ended well, and what its phases took. */
export interface RunObservation {
  /** The name of the profile. */
  readonly model: string;
  readonly durationSeconds: number;
  /** Milliseconds since the Unix epoch. */
  readonly finishedWallMs: number;
  readonly phases: readonly RunPhase[];
}

/** One phase; those that ran several times are one, with the largest peak and the sum of what adds up. */
export interface RunPhase {
  readonly phase: string;
  /** The variant that was made, or the measurement that was taken; empty where the phase is of the whole model. */
  readonly subject: string;
  readonly seconds: number;
  readonly peakRssBytes?: number;
  readonly peakGpuMemoryBytes?: number;
  readonly readBytes?: number;
  readonly writtenBytes?: number;
  readonly cpuSeconds?: number;
  /** Energy of the processor packages, and of all GPUs, whatever else ran on them included. */
  readonly raplJoules?: number;
  readonly gpuJoules?: number;
}

export interface RunMetrics {
  /** Shows the run as the last of its model, with what earlier ones took in phases that it did not go through. */
  recordRun(observation: RunObservation): void;
}

const RUNS = familyGroup({
  items: (runs: ReadonlyMap<string, RunObservation>) => [...runs.values()],
  labelNames: ['model'],
  labels: ({ model }) => ({ model }),
  rows: [
    {
      name: 'ptq_run_duration_seconds',
      type: 'gauge',
      help: 'Time that the last run of the model took.',
      value: (run) => run.durationSeconds,
    },
    {
      name: 'ptq_run_last_success_timestamp_seconds',
      type: 'gauge',
      help: 'When a run of the model last ended well.',
      value: (run) => run.finishedWallMs / 1e3,
    },
  ],
});

const PHASES = familyGroup({
  items: (runs: ReadonlyMap<string, RunObservation>) =>
    [...runs.values()].flatMap(({ model, phases }) => phases.map((phase) => ({ ...phase, model }))),
  labelNames: ['model', 'phase', 'subject'],
  labels: ({ model, phase, subject }) => ({ model, phase, subject }),
  rows: [
    {
      name: 'ptq_run_phase_seconds',
      type: 'gauge',
      help: 'Time that the phase took in the last run that had it.',
      value: (phase) => phase.seconds,
    },
    {
      name: 'ptq_run_peak_rss_bytes',
      type: 'gauge',
      help: 'Largest resident memory of the workers during the phase, in the last run that had it.',
      value: (phase) => phase.peakRssBytes,
    },
    {
      name: 'ptq_run_peak_gpu_memory_bytes',
      type: 'gauge',
      help: 'Largest memory in use of each GPU during the phase, all GPUs added up, in the last run that had it.',
      value: (phase) => phase.peakGpuMemoryBytes,
    },
    {
      name: 'ptq_run_read_bytes',
      type: 'gauge',
      help: 'Bytes that the workers read from storage during the phase, in the last run that had it.',
      value: (phase) => phase.readBytes,
    },
    {
      name: 'ptq_run_written_bytes',
      type: 'gauge',
      help: 'Bytes that the workers wrote to storage during the phase, in the last run that had it.',
      value: (phase) => phase.writtenBytes,
    },
    {
      name: 'ptq_run_cpu_seconds',
      type: 'gauge',
      help: 'CPU time of the workers during the phase, in the last run that had it.',
      value: (phase) => phase.cpuSeconds,
    },
    {
      name: 'ptq_run_energy_joules',
      type: 'gauge',
      help: 'Energy that the host took during the phase, by what counted it.',
      by: 'counter',
      values: ({ raplJoules, gpuJoules }) => ({ rapl: raplJoules, gpu: gpuJoules }),
    },
  ],
});

/** Registers what the last run of each model took. */
export function createRunMetrics(registry: MetricRegistry): RunMetrics {
  const runs = new Map<string, RunObservation>();
  const setters = [RUNS, PHASES].map((register) => register(registry));
  return {
    recordRun: (observation) => {
      const { model, phases } = observation;
      const isKept = (before: RunPhase) =>
        !phases.some(({ phase, subject }) => phase === before.phase && subject === before.subject);
      const kept = runs.get(model)?.phases.filter(isKept) ?? [];
      runs.set(model, { ...observation, phases: [...kept, ...phases] });
      for (const set of setters) set(runs);
    },
  };
}
