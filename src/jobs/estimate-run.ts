import { processCount } from '../benchmark/settings.ts';
import type { Profile } from '../config/profile.ts';
import type { RunDurations } from '../store/run-durations.ts';
import { planOf, type RunOrder } from './orders.ts';
import { FP32 } from './pipeline.ts';
import { plannedSettings } from './ready-measurement.ts';
import type { PipelinePlan } from './run-context.ts';

/** How long a run will take, and how that is known. */
export interface DurationEstimate {
  readonly seconds: number;
  /** `history`: the median of the last runs of the same order. `plan`: measuring times that were asked for, and what they take around them. */
  readonly basis: 'history' | 'plan';
}

const RUNS_LOOKED_AT = 5;
/** From the start of a process to its first query, and a warm-up until the model is at its speed. */
const PROCESS_SECONDS = 1.5;
/** Digests of model and data, checks of outputs, the timeline. */
const RUN_SECONDS = 3;

/**
 * Estimates how long a run takes from its start to its end: from runs of the same order, otherwise from what is to be measured.
 * Undefined where neither tells, as with runs that quantize or evaluate and were never done, and with replays.
 */
export function estimateRun(
  profile: Profile,
  order: RunOrder,
  store: RunDurations,
): DurationEstimate | undefined {
  const { name: model } = profile;
  // Orders of full runs differ in why they were made, and not in what is done.
  const like = order.kind === 'pipeline' ? {} : { request: order };
  const known = store.runDurationsMs({ model, kind: order.kind, limit: RUNS_LOOKED_AT, ...like });
  if (known.length > 0) return { seconds: median(known) / 1e3, basis: 'history' };
  if (order.kind !== 'bench') return undefined;
  const seconds = planSeconds(profile, planOf(profile, order));
  return seconds === undefined ? undefined : { seconds, basis: 'plan' };
}

/** Of measuring alone: making variants that are not there yet comes on top. */
function planSeconds(profile: Profile, plan: PipelinePlan): number | undefined {
  const variants = variantsOf(profile, plan).length;
  let seconds = RUN_SECONDS;
  for (const { measurements, limits } of plan.suites) {
    for (const measurement of measurements) {
      const settings = plannedSettings(measurement, limits);
      if (settings === undefined) return undefined;
      const { minDurationSeconds, rounds, leadInSeconds } = settings;
      const around = processCount(settings, variants) * PROCESS_SECONDS + rounds * leadInSeconds;
      seconds += variants * (minDurationSeconds + around);
    }
  }
  return seconds;
}

/** Names of what a plan measures, fp32 first. */
export function variantsOf(profile: Profile, { variants }: PipelinePlan): readonly string[] {
  const chosen = profile.variants.filter(({ name }) => variants === undefined || variants.includes(name));
  return [FP32, ...chosen.map(({ name }) => name)];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
