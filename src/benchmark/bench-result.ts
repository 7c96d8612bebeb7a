import { geometricMeanInterval } from './confidence-interval.ts';
import {
  countOutliers,
  type LatencySummary,
  type OutlierCounts,
  sortedCopy,
  summarizeLatencies,
} from './latency-statistics.ts';
import type { RoundResult } from './round-result.ts';
import type { Scenario } from './scenario.ts';
import type { BenchSettings } from './settings.ts';
import { otherCpuCores, reasonsForInvalidity } from './validity.ts';
import type { SutIdentity, VariantRecord } from './variant-record.ts';

export interface RoundSummary {
  readonly round: number;
  readonly durationSeconds: number;
  readonly queries: number;
  readonly medianSeconds: number;
  /** Samples per second. */
  readonly throughput: number;
  /** Average cores that anything else took; null where it was not measured. */
  readonly otherCpuCores: number | null;
}

/** One variant's result, ready for JSON. */
export interface BenchResult extends SutIdentity {
  readonly scenario: Scenario;
  readonly valid: boolean;
  /** Sentences; empty when valid. */
  readonly invalidReasons: readonly string[];
  /** Measured calls of the system. In the offline scenario each round is one query of MLPerf's and this counts its runs. */
  readonly queries: number;
  readonly samples: number;
  /** Time spent measuring, warm-up and lead-ins left out. */
  readonly durationSeconds: number;
  /** From a query's due moment to its completion; in the offline scenario, of one run. Null when nothing was measured. */
  readonly latencySeconds: LatencySummary | null;
  /** Without the time spent waiting; null in closed-loop scenarios, where no query waits and latency is service time. */
  readonly serviceTimeSeconds: LatencySummary | null;
  /** 95 % interval of a round's median latency, from the scatter between rounds; null for fewer than two rounds. */
  readonly medianIntervalSeconds: { readonly lower: number; readonly upper: number } | null;
  /** Samples per second of measuring. */
  readonly throughput: number | null;
  readonly outliers: OutlierCounts;
  readonly warmup: { readonly queries: number; readonly seconds: number; readonly steady: boolean } | null;
  readonly rounds: readonly RoundSummary[];
  readonly peakRssBytes: number | null;
  /** User and system CPU time during `durationSeconds`; null where it was not measured. */
  readonly cpuSeconds: number | null;
}

const CONFIDENCE = 0.95;

/** The statistics and the validity of one variant's measurements. */
export function summarizeVariant(record: VariantRecord, settings: BenchSettings): BenchResult {
  const { identity, warmUp, rounds, usage } = record;
  const sortedNs = pooled(rounds.map((round) => round.latencyNs));
  const summaries = rounds.map(summarizeRound);
  const durationSeconds = sum(rounds.map((round) => round.durationNs)) / 1e9;
  const samples = sum(rounds.map((round) => round.samples));
  const invalidReasons = reasonsForInvalidity(record, settings);
  const serviceNs = rounds.flatMap((round) => round.serviceNs ?? []);
  const median = geometricMeanInterval(
    summaries.map((round) => round.medianSeconds),
    CONFIDENCE,
  );
  return {
    ...identity,
    scenario: settings.scenario,
    valid: invalidReasons.length === 0,
    invalidReasons,
    queries: sortedNs.length,
    samples,
    durationSeconds,
    latencySeconds: summarizeLatencies(sortedNs),
    serviceTimeSeconds: serviceNs.length === 0 ? null : summarizeLatencies(pooled(serviceNs)),
    medianIntervalSeconds: median === null ? null : { lower: median.lower, upper: median.upper },
    throughput: durationSeconds === 0 ? null : samples / durationSeconds,
    outliers: countOutliers(sortedNs),
    warmup:
      warmUp === null
        ? null
        : { queries: warmUp.queries, seconds: warmUp.durationNs / 1e9, steady: warmUp.steady },
    rounds: summaries,
    peakRssBytes: usage?.peakRssBytes ?? null,
    cpuSeconds: measuredCpuSeconds(rounds),
  };
}

function summarizeRound(round: RoundResult): RoundSummary {
  const sorted = sortedCopy(round.latencyNs);
  const durationSeconds = round.durationNs / 1e9;
  return {
    round: round.index,
    durationSeconds,
    queries: sorted.length,
    medianSeconds: (sorted[Math.floor(sorted.length / 2)] as number) / 1e9,
    throughput: round.samples / durationSeconds,
    otherCpuCores: otherCpuCores([round]),
  };
}

function measuredCpuSeconds(rounds: readonly RoundResult[]): number | null {
  const measured = rounds.flatMap((round) => round.cpuSeconds ?? []);
  return measured.length === 0 || measured.length < rounds.length ? null : sum(measured);
}

function pooled(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(sum(parts.map((part) => part.length)));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all.sort();
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
