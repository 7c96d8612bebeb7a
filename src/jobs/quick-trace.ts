import type { Measurement } from '../config/measurement.ts';
import type { Profile } from '../config/profile.ts';
import type { Suite } from '../config/suite.ts';
import type { Device } from '../core/device.ts';
import type { PipelinePlan } from './run-context.ts';

export interface QuickTrace {
  readonly queries: number;
  readonly device?: Device;
  readonly threads?: number;
}

/** One after another, as briefly as a warm-up needs: what is wanted is the trace, not a figure. */
export function quickSuite({ device, threads }: QuickTrace): Suite {
  const measurement: Measurement = {
    name: 'trace',
    scenario: 'single-stream',
    preset: 'quick',
    durationSeconds: 0.2,
    minQueries: 1,
    rounds: 2,
    processes: 1,
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
  };
  return { name: 'trace', measurements: [measurement], limits: {} };
}

/** A run of a profile that traces fp32 and variants, and makes those that are missing. @param variants all unless given */
export function quickTracePlan(
  profile: Profile,
  { variants, ...quick }: QuickTrace & { readonly variants?: readonly string[] },
): PipelinePlan {
  return {
    evaluate: false,
    suites: [quickSuite(quick)],
    threads: quick.threads ?? profile.bench.threads,
    ...(variants === undefined ? {} : { variants }),
    trace: { queries: quick.queries, calibration: false, evaluation: false },
  };
}
