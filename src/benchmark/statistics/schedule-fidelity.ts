import { formatSeconds } from '../../core/units.ts';
import { percentile, sortedCopy } from '../latency-statistics.ts';
import type { QueryTimes } from './query-times.ts';

/** How well the load generator kept to its own schedule. What the system under test delays is not in any of it. */
export interface ScheduleFidelity {
  /** False when latencies or rates say more about the generator than about the system. */
  readonly faithful: boolean;
  /** Sentences; empty when faithful. */
  readonly reasons: readonly string[];
  readonly queries: number;
  /** How long queries were held back although they were due and a lane was ready; null for too few queries. */
  readonly lagP50Ns: number | null;
  readonly lagP99Ns: number | null;
  readonly lagMaxNs: number | null;
  /** Share of the queries with a lag above 1 ms. */
  readonly lateShare: number;
  /** Share of the mean response time that is lag of the generator. */
  readonly lagShareOfResponse: number;
  /** Queries per second of the schedule, (n - 1) over the time from the first to the last; null where all are due at once. */
  readonly offeredRate: number | null;
  /** Completions per second as LoadGen has them, (n - 1) over the time until the last; null for fewer than two. */
  readonly achievedRate: number | null;
}

/** perf_analyzer's limits: a query is delayed above 1 ms, and more than 1 % of delayed queries are worth a warning. */
const LATE_NS = 1e6;
const MAX_LATE_SHARE = 0.01;

/** A lag below 1 ms still distorts a response that takes as little. */
const MAX_LAG_SHARE = 0.05;

/**
 * Compares when queries were called with when they could have been: lag = start - max(due, ready). A lane that is busy is
 * the system's delay, not the generator's.
 *
 * Unfaithful is a run in which more than 1 % of the queries lagged by more than 1 ms, lag makes up more than 5 % of the mean
 * response time, or a query was called before it was due or before a lane was ready.
 */
export function scheduleFidelity({ dueNs, readyNs, startNs, doneNs }: QueryTimes): ScheduleFidelity {
  const n = dueNs.length;
  const lagNs = startNs.map((start, i) => start - Math.max(dueNs[i] as number, readyNs[i] as number));
  const sorted = sortedCopy(lagNs);
  let early = 0;
  let late = 0;
  let totalLagNs = 0;
  let totalResponseNs = 0;
  let lastDoneNs = 0;
  for (let i = 0; i < n; i++) {
    const lag = lagNs[i] as number;
    if (lag < 0) early += 1;
    if (lag > LATE_NS) late += 1;
    totalLagNs += Math.max(0, lag);
    totalResponseNs += (doneNs[i] as number) - (dueNs[i] as number);
    lastDoneNs = Math.max(lastDoneNs, doneNs[i] as number);
  }
  const lateShare = n === 0 ? 0 : late / n;
  const lagShareOfResponse = totalResponseNs > 0 ? totalLagNs / totalResponseNs : 0;
  const scheduleNs = n === 0 ? 0 : (dueNs[n - 1] as number) - (dueNs[0] as number);
  const reasons = [
    ...earlyReason(early, n),
    ...lateReason(lateShare, sorted),
    ...lagReason(lagShareOfResponse, totalLagNs / n),
  ];
  return {
    faithful: reasons.length === 0,
    reasons,
    queries: n,
    lagP50Ns: percentile(sorted, 500),
    lagP99Ns: percentile(sorted, 990),
    lagMaxNs: sorted[n - 1] ?? null,
    lateShare,
    lagShareOfResponse,
    offeredRate: scheduleNs > 0 ? ((n - 1) * 1e9) / scheduleNs : null,
    achievedRate: n > 1 && lastDoneNs > 0 ? ((n - 1) * 1e9) / lastDoneNs : null,
  };
}

function earlyReason(early: number, n: number): string[] {
  if (early === 0) return [];
  return [
    `${early} of ${n} queries were called before they were due or before a lane was ready: ` +
      'their times do not belong together',
  ];
}

function lateReason(lateShare: number, sortedLagNs: Float64Array): string[] {
  if (lateShare <= MAX_LATE_SHARE) return [];
  const worst = formatSeconds((sortedLagNs.at(-1) as number) / 1e9);
  return [
    `The load generator called ${percent(lateShare)} of the queries more than 1 ms late (by ${worst} at worst), ` +
      'although they were due and a lane was ready',
  ];
}

function lagReason(lagShareOfResponse: number, meanLagNs: number): string[] {
  if (lagShareOfResponse <= MAX_LAG_SHARE) return [];
  return [
    `${percent(lagShareOfResponse)} of the mean response time is lag of the load generator ` +
      `(${formatSeconds(meanLagNs / 1e9)} a query)`,
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
