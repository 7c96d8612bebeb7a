import { processCount } from '../benchmark/settings.ts';
import type { Profile } from '../config/profile.ts';
import type { RunDurations } from '../store/run-durations.ts';
import { type DurationEstimate, estimateRun, variantsOf } from './estimate-run.ts';
import { type BenchOrder, planOf } from './orders.ts';
import { plannedSettings } from './ready-measurement.ts';

/** What an order would lead to. */
export interface PlanView {
  readonly model: string;
  /** fp32 first. */
  readonly variants: readonly string[];
  readonly measurements: readonly PlannedMeasurement[];
  readonly traced: boolean;
  readonly estimate?: DurationEstimate;
}

export interface PlannedMeasurement {
  readonly suite: string;
  readonly measurement: string;
  readonly scenario: string;
  readonly device: string;
  readonly batch: number;
  readonly threads: number;
  /** Of each variant; absent in a replay, which is as long as its trace. */
  readonly minDurationSeconds?: number;
  readonly maxDurationSeconds?: number;
  readonly rounds?: number;
  readonly processes?: number;
  readonly concurrency?: number;
}

/** Reads no file: a trace that cannot be read shows when the order is carried out. */
export function planView(profile: Profile, order: BenchOrder, store: RunDurations): PlanView {
  const plan = planOf(profile, order);
  const variants = variantsOf(profile, plan);
  const estimate = estimateRun(profile, order, store);
  return {
    model: profile.name,
    variants,
    measurements: plan.suites.flatMap(({ name, measurements, limits }) =>
      measurements.map((measurement) => {
        const { scenario, device = 'cpu', batch = 1, threads = plan.threads } = measurement;
        const settings = plannedSettings(measurement, limits);
        return {
          suite: name,
          measurement: measurement.name,
          scenario,
          device,
          batch,
          threads,
          ...(settings === undefined
            ? {}
            : {
                minDurationSeconds: settings.minDurationSeconds,
                maxDurationSeconds: settings.maxDurationSeconds,
                rounds: settings.rounds,
                processes: processCount(settings, variants.length),
                concurrency: settings.concurrency,
              }),
        };
      }),
    ),
    traced: plan.trace !== undefined,
    ...(estimate === undefined ? {} : { estimate }),
  };
}
