import { presetSettings } from '../benchmark/presets.ts';
import { type BenchSettings, benchSettings } from '../benchmark/settings.ts';
import { given, type Measurement, type MeasurementTrace } from '../config/measurement.ts';
import type { SuiteLimits } from '../config/suite.ts';
import type { Device } from '../core/device.ts';
import { attemptAsync, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { Sampling } from '../core/sampling.ts';
import { openTrace, type ReplayedTrace } from './open-trace.ts';
import { unwrap } from './unwrap.ts';

/** A measurement that can begin: settings checked, trace read. */
export interface ReadyMeasurement {
  readonly name: string;
  readonly settings: BenchSettings;
  /** Samples that one run works through. */
  readonly batch: number;
  /** Threads inside an operator; 0 for every core. */
  readonly threads: number;
  readonly device: Device;
  /** How often the host is to be sampled meanwhile, where the measurement says so. */
  readonly sampling?: Sampling;
  /** What a replay replays, as reports tell it. */
  readonly trace?: ReplayedTrace;
}

export interface MeasurementDefaults {
  readonly threads: number;
  readonly limits: SuiteLimits;
}

/**
 * Fills in what a measurement leaves to its preset, its scenario and its suite, and reads its trace.
 * Errors: `invalid-bench-settings`, and those of the trace.
 */
export function readyMeasurement(
  measurement: Measurement,
  { threads, limits }: MeasurementDefaults,
): Promise<Result<ReadyMeasurement, Problem>> {
  return attemptAsync(async () => {
    const { batch = 1, device = 'cpu', name, sampling } = measurement;
    const trace = measurement.trace === undefined ? undefined : await readTrace(measurement.trace);
    return {
      name,
      settings: unwrap(benchSettings({ ...settingsOf(measurement, limits), ...(trace?.arrivals ?? {}) })),
      batch,
      threads: measurement.threads ?? threads,
      device,
      ...(sampling === undefined ? {} : { sampling }),
      ...(trace === undefined ? {} : { trace: trace.report }),
    };
  });
}

/** How a measurement will be made; undefined for a replay, which only its trace tells, and for settings that are refused. */
export function plannedSettings(measurement: Measurement, limits: SuiteLimits): BenchSettings | undefined {
  if (measurement.scenario === 'replay') return undefined;
  const settings = benchSettings(settingsOf(measurement, limits));
  return settings.ok ? settings.value : undefined;
}

async function readTrace(trace: MeasurementTrace) {
  const { arrivals, report } = unwrap(await openTrace(trace));
  return { arrivals: { trace: arrivals }, report };
}

function settingsOf(measurement: Measurement, limits: SuiteLimits): Partial<BenchSettings> {
  const { scenario, preset, batch, percentile, rateShare } = measurement;
  const latencyBoundPermille = percentile === undefined ? undefined : Math.round(percentile * 10);
  return {
    scenario,
    ...presetSettings(preset, { scenario, latencyBoundPermille, samplesPerRun: batch }),
    ...given({
      latencyBoundPermille,
      capacityShare: rateShare,
      minDurationSeconds: measurement.durationSeconds,
      maxDurationSeconds: measurement.maxDurationSeconds ?? limits.maxDurationSeconds,
      minQueries: measurement.minQueries,
      rounds: measurement.rounds,
      processes: measurement.processes,
      seed: measurement.seed,
      ratePerSecond: measurement.ratePerSecond,
      rampFromPerSecond: measurement.rampFromPerSecond,
      concurrency: measurement.concurrency,
      samplesPerQuery: measurement.samplesPerQuery,
      latencyBoundSeconds: measurement.latencyBoundSeconds,
      graceSeconds: measurement.graceSeconds,
      maxOtherCpuCores: measurement.maxOtherCpuCores ?? limits.maxOtherCpuCores,
    }),
  };
}
