import type { SystemUnderTest } from './sut.ts';

/** What this version can run. Scenarios are MLPerf's. */
export type Scenario = 'single-stream' | 'offline';

/** MLPerf's stopping rule: a round ends once both minima are reached, or either maximum. */
export interface RoundLimits {
  readonly minQueries: number;
  readonly minDurationNs: number;
  readonly maxQueries?: number;
  /** Checked between queries: a query under way is never cut short. */
  readonly maxDurationNs: number;
}

interface RoundBase {
  /** The round's place in the plan. Variants are compared round by round. */
  readonly index: number;
  /** Decides the order of the samples, the same for every variant in one round. */
  readonly seed: number;
  /** Unmeasured running before the first query, because another variant had the caches before. 0 for none. */
  readonly leadInDurationNs: number;
}

export interface SingleStreamRound extends RoundBase {
  readonly scenario: 'single-stream';
  readonly limits: RoundLimits;
}

export interface OfflineRound extends RoundBase {
  readonly scenario: 'offline';
  /** Size of the one query in runs of the model, fixed before it starts. */
  readonly runCount: number;
  readonly maxDurationNs: number;
}

/** One round of one variant, as plain data that can be sent to the process which holds the system under test. */
export type RoundSpec = SingleStreamRound | OfflineRound;

/** What one round measured: plain data for structured clone (it holds a bigint and a typed array). */
export interface RoundResult {
  readonly index: number;
  readonly scenario: Scenario;
  /** On the clock of `Clock.nowNs`, which all processes of one boot share. */
  readonly startNs: bigint;
  readonly durationNs: number;
  /** Samples that were worked through. */
  readonly samples: number;
  /** Per query, in order of issue. In the offline scenario per run of the model inside the one query. */
  readonly latencyNs: Float64Array;
  /** Time at work per query, without waiting. Absent where no query can wait, as in both closed-loop scenarios. */
  readonly serviceNs?: Float64Array;
  /** User and system CPU time of the process under test during the round. */
  readonly cpuSeconds?: number;
  /** CPU time that anything else on the host took meanwhile (steal included), where the caller measured it. */
  readonly otherCpuSeconds?: number;
}

/** What a round needs from its surroundings. */
export interface RoundContext {
  readonly sut: SystemUnderTest;
  /** Monotonic nanoseconds. */
  readonly nowNs: () => bigint;
  /** User plus system CPU time of this process so far. */
  readonly cpuSeconds?: () => number;
}
