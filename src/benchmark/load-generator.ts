import type { Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { LoadPlan } from './load/load-plan.ts';
import type { SutCapacity } from './round.ts';

export interface LoadOptions {
  /** Each lane carries out the whole load for itself. */
  readonly onEveryLane?: boolean;
  /** Keeps outputs of runs taken at random, to be checked when all is measured. */
  readonly keepOutputs?: boolean;
}

export interface LoadStart {
  /** On the clock of `Clock.nowNs`. */
  readonly startNs: bigint;
}

/** A system under test, in MLPerf's sense, with lanes that put load on it: one model, a session a lane, feeds already built. */
export interface LoadGenerator extends SutCapacity {
  readonly laneCount: number;
  /** One sample of every distinct input shape: a runtime tunes itself anew for each. */
  readonly shapeSamples: readonly number[];
  /**
   * Carries out a load. `onRuns` gets the finished runs in pieces (see `VALUES_PER_RUN`), a few times a second and at the end,
   * also those before a failure.
   */
  run(
    plan: LoadPlan,
    onRuns: (chunk: Float64Array) => void,
    options?: LoadOptions,
  ): Promise<Result<LoadStart, Problem>>;
}
