import type { Profile } from '../config/profile.ts';
import type { PipelinePlan } from './pipeline.ts';

/** What a run was asked to do, as it is stored with the run. */
export type RunOrder = { readonly kind: 'pipeline' } | BenchOrder;

/** A benchmark on demand. What is left out is taken from the profile. */
export interface BenchOrder {
  readonly kind: 'bench';
  /** FP32 is always measured too, as the base. */
  readonly variants?: readonly string[];
  readonly scenario?: 'single-stream' | 'offline';
  readonly durationSeconds?: number;
  readonly threads?: number;
}

export function planOf(profile: Profile, order: RunOrder): PipelinePlan {
  const { scenarios, threads } = profile.bench;
  if (order.kind === 'pipeline') return { evaluate: true, scenarios, threads };
  const { scenario, durationSeconds, variants } = order;
  const wanted =
    scenario === undefined
      ? scenarios
      : [scenarios.find((known) => known.scenario === scenario) ?? { scenario, durationSeconds: 10 }];
  return {
    evaluate: false,
    scenarios: wanted.map((chosen) => ({
      ...chosen,
      durationSeconds: durationSeconds ?? chosen.durationSeconds,
    })),
    threads: order.threads ?? threads,
    ...(variants === undefined ? {} : { variants }),
  };
}
