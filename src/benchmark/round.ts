import type { Scenario } from '../core/bench-terms.ts';
import { type ArrivalProcess, type ScheduleLength, scheduleArrivals } from './load/arrivals.ts';
import type { LoadPlan } from './load/load-plan.ts';
import { seededRandom, shuffledIndices } from './random.ts';

/** MLPerf's stopping rule: a round ends once both minima are reached, or the maximum. */
export interface RoundLimits {
  readonly minQueries: number;
  readonly minDurationNs: number;
  /** Checked between queries: a query under way is never cut short. */
  readonly maxDurationNs: number;
}

/** The load of a round, before it is known what the system can run. */
export type RoundLoad =
  | { readonly kind: 'closed'; readonly limits: RoundLimits }
  /** Queries of several samples, the next issued when the last is complete. */
  | { readonly kind: 'grouped'; readonly samplesPerQuery: number; readonly limits: RoundLimits }
  /** One query; its size in runs of the model is fixed before it starts. */
  | { readonly kind: 'at-once'; readonly runCount: number; readonly maxDurationNs: number }
  | {
      readonly kind: 'scheduled';
      readonly arrivals: ArrivalProcess;
      readonly length: ScheduleLength;
      readonly maxDurationNs: number;
    };

/** One round of one variant, as plain data that can be sent to the process which holds the system under test. */
export interface RoundSpec {
  /** The round's place in the plan. Variants are compared round by round. */
  readonly index: number;
  readonly scenario: Scenario;
  /** Decides the order of the samples and the arrivals, the same for every variant in one round. */
  readonly seed: number;
  /** Unmeasured running before the first query, because another variant had the caches before. 0 for none. */
  readonly leadInDurationNs: number;
  readonly load: RoundLoad;
}

/** What the system under test can run. */
export interface SutCapacity {
  /** How many prebuilt feeds there are. At least 1. */
  readonly sampleCount: number;
  /** Samples that one run works through: the batch size. */
  readonly samplesPerRun: number;
}

/** A round without an end of its own stops here: lanes count runs in 32 bits, and each may claim one too many. */
export const MOST_RUNS = 2 ** 31 - 2 ** 16;

/** The plan that lanes carry out for a round on a system. */
export function planRound(
  { load, seed }: Pick<RoundSpec, 'load' | 'seed'>,
  { sampleCount, samplesPerRun }: SutCapacity,
): LoadPlan {
  const order = sampleOrder(seed, sampleCount, load.kind === 'scheduled' ? load.arrivals : undefined);
  switch (load.kind) {
    case 'closed': {
      const { minQueries, ...durations } = load.limits;
      const limits = { minRuns: minQueries, maxRuns: MOST_RUNS, ...durations };
      return { pacing: { kind: 'closed' }, limits, order };
    }
    case 'grouped': {
      const { minQueries, ...durations } = load.limits;
      const runsPerQuery = runsOf(load.samplesPerQuery, samplesPerRun);
      const limits = { minRuns: minQueries * runsPerQuery, maxRuns: MOST_RUNS, ...durations };
      return { pacing: { kind: 'grouped', runsPerQuery }, limits, order };
    }
    case 'at-once': {
      const { runCount, maxDurationNs } = load;
      const limits = { minRuns: runCount, maxRuns: runCount, minDurationNs: 0, maxDurationNs };
      return { pacing: { kind: 'at-once' }, limits, order };
    }
    case 'scheduled': {
      const { arrivals, length, maxDurationNs } = load;
      const dueNs = scheduleArrivals(arrivals, length, seed);
      const limits = { minRuns: dueNs.length, maxRuns: dueNs.length, minDurationNs: 0, maxDurationNs };
      return { pacing: { kind: 'scheduled', dueNs }, limits, order };
    }
  }
}

/** Runs of the model that a query of so many samples takes. */
export function runsOf(samplesPerQuery: number, samplesPerRun: number): number {
  return Math.ceil(samplesPerQuery / samplesPerRun);
}

/**
 * Which sample each run takes, over and over: as the trace says, otherwise in an order that the seed decides. Where a trace
 * names more samples than there are, they are taken in turn.
 */
export function sampleOrder(seed: number, sampleCount: number, arrivals?: ArrivalProcess): Uint32Array {
  if (arrivals?.kind !== 'trace' || arrivals.samples === undefined)
    return shuffledIndices(sampleCount, seededRandom(seed));
  return arrivals.samples.map((sample) => sample % sampleCount);
}
