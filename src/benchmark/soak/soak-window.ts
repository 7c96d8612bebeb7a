import { contaminationReasons } from '../host-conditions.ts';
import { percentile, sortedCopy } from '../latency-statistics.ts';
import type { ContextSwitches, RoundResult } from '../round-result.ts';
import { otherCpuCores } from '../validity.ts';

/** What is kept of one stretch of a soak; its single runs are not, as hours of them would fill the memory. */
export interface SoakWindow {
  readonly index: number;
  /** Since the first window began. */
  readonly startSeconds: number;
  readonly durationSeconds: number;
  readonly queries: number;
  /** Samples per second. */
  readonly throughput: number;
  readonly p50Seconds: number | null;
  /** Null for fewer than 100 queries. */
  readonly p99Seconds: number | null;
  /** Resident memory of the process at the end of the window; null where the kernel does not tell. */
  readonly rssBytes: number | null;
  readonly contextSwitches: ContextSwitches | null;
  readonly cpuSeconds: number | null;
  /** Average cores that anything else took; null where it was not measured. */
  readonly otherCpuCores: number | null;
  /** Queries of the schedule that were not done when the window's time was up. */
  readonly unfinishedQueries: number;
  /** What the host did meanwhile that does not belong into a measurement, as sentences. */
  readonly disturbances: readonly string[];
  /** False for a window that was cut short, which no trend takes in. */
  readonly complete: boolean;
}

/** @param soakStartNs when the first window began, on the clock of `Clock.nowNs` */
export function toSoakWindow(round: RoundResult, soakStartNs: bigint, rssBytes: number | null): SoakWindow {
  const sorted = sortedCopy(round.latencyNs);
  const seconds = (ns: number | null) => (ns === null ? null : ns / 1e9);
  const { conditions, durationNs, plannedRuns, runs } = round;
  return {
    index: round.index,
    startSeconds: Number(round.startNs - soakStartNs) / 1e9,
    durationSeconds: durationNs / 1e9,
    queries: sorted.length,
    throughput: durationNs === 0 ? 0 : (round.samples * 1e9) / durationNs,
    p50Seconds: seconds(sorted[Math.floor(sorted.length / 2)] ?? null),
    p99Seconds: seconds(percentile(sorted, 990)),
    rssBytes,
    contextSwitches: round.contextSwitches ?? null,
    cpuSeconds: round.cpuSeconds ?? null,
    otherCpuCores: otherCpuCores([round]),
    unfinishedQueries: Math.max(0, (plannedRuns ?? 0) - runs.run.length),
    disturbances:
      conditions === undefined ? [] : contaminationReasons(conditions.before, conditions.after, durationNs),
    complete: round.complete,
  };
}
