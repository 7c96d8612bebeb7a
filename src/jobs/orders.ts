import type { Measurement } from '../config/measurement.ts';
import type { Profile } from '../config/profile.ts';
import { PROFILE_SUITE, type Suite } from '../config/suite.ts';
import type { PipelinePlan } from './run-context.ts';

/** What a run was asked to do, as it is stored with the run. */
export type RunOrder = { readonly kind: 'pipeline' } | BenchOrder;

/** A benchmark on demand. What is left out is taken from the profile. */
export interface BenchOrder {
  readonly kind: 'bench';
  /** FP32 is always measured too, as the base. */
  readonly variants?: readonly string[];
  /** One of the suites of the profile; all of its measurements unless `scenario` says which. */
  readonly suite?: string;
  /** As the profile or the suite has it; with quick settings where it does not. */
  readonly scenario?: Exclude<Measurement['scenario'], 'replay'>;
  readonly durationSeconds?: number;
  readonly threads?: number;
}

/** The suites that can be ordered of a profile: its own scenarios first, then those that it names. */
export function suitesOf({ bench: { scenarios, suites } }: Profile): readonly Suite[] {
  const own: Suite = { name: PROFILE_SUITE, measurements: scenarios, limits: {} };
  return scenarios.length === 0 ? suites : [own, ...suites];
}

export function planOf(profile: Profile, order: RunOrder): PipelinePlan {
  const { threads } = profile.bench;
  if (order.kind === 'pipeline') return { evaluate: true, suites: suitesOf(profile), threads };
  const { durationSeconds, variants } = order;
  return {
    evaluate: false,
    suites: orderedSuites(profile, order).map((suite) => ({
      ...suite,
      measurements: suite.measurements.map((measurement) => ({
        ...measurement,
        ...(durationSeconds === undefined || measurement.scenario === 'replay' ? {} : { durationSeconds }),
      })),
    })),
    threads: order.threads ?? threads,
    ...(variants === undefined ? {} : { variants }),
  };
}

function orderedSuites(profile: Profile, { suite, scenario }: BenchOrder): readonly Suite[] {
  const suites = suitesOf(profile).filter(({ name }) => suite === undefined || name === suite);
  if (scenario === undefined) return suites;
  const holder = suites.find(({ measurements }) => measurements.some((of) => of.scenario === scenario));
  const base: Suite = holder ?? suites[0] ?? { name: PROFILE_SUITE, measurements: [], limits: {} };
  const known = base.measurements.filter((of) => of.scenario === scenario);
  const quick: Measurement = { name: scenario, scenario, preset: 'quick' };
  return [{ ...base, measurements: known.length === 0 ? [quick] : known }];
}
