import type { Problem } from '../core/problem.ts';
import { formatRate, formatSeconds } from '../core/units.ts';
import type { PeakSettings } from './peak-settings.ts';
import type { MeasuredTrial, PeakSearch, PeakTrialReport } from './peak-trial.ts';
import { reasonsFromUsage } from './validity.ts';
import type { SutIdentity } from './variant-record.ts';

/**
 * What keeps the peak from being higher. `bound`: the latency. `saturation`: queries come faster than they are worked off. `cap`:
 * the highest rate that was asked for still passes. `service-time`: the work alone takes longer than the bound. The others say why
 * the search ended before it knew: `trials` are used up, the system failed, or it was cancelled.
 */
export type PeakLimit = 'bound' | 'saturation' | 'cap' | 'service-time' | 'trials' | 'failure' | 'cancelled';

/** One system's peak, ready for JSON. */
export interface PeakResult extends SutIdentity {
  readonly concurrency: number;
  readonly latencyBoundSeconds: number;
  /** The percentile that has to stay within the bound, in thousandths. */
  readonly latencyBoundPermille: number;
  readonly peak: {
    /** Queries per second; null where no rate passed. */
    readonly ratePerSecond: number | null;
    /** The lowest rate that failed; null where none did. */
    readonly failsAtPerSecond: number | null;
    /** Whether both were found again when they were tried again. */
    readonly confirmed: boolean;
    /** Whether some rate both passed and failed. */
    readonly isNoisy: boolean;
    readonly limitedBy: PeakLimit;
    /** A sentence. */
    readonly reason: string;
  };
  /** Queries per second of the closed loop of the warm-up, a few hundred milliseconds; null where it did not come to that. */
  readonly closedLoopPerSecond: number | null;
  readonly trials: readonly PeakTrialReport[];
  readonly valid: boolean;
  /** Sentences; empty when valid. */
  readonly invalidReasons: readonly string[];
  readonly peakRssBytes: number | null;
  readonly failure: Problem | null;
}

/** How many times as much one system takes as another; the interval is what the resolution of both searches leaves open. */
export interface PeakRatio {
  readonly base: string;
  readonly candidate: string;
  readonly ratio: number;
  /** Null where no rate is known to fail. */
  readonly lower: number | null;
  readonly upper: number | null;
}

export function peakResult(search: PeakSearch, settings: PeakSettings): PeakResult {
  const { participant, trials, closedLoopPerSecond, peak } = search;
  const { bench } = settings;
  const invalidReasons = invalidReasonsOf(search, settings);
  const limitedBy = limitOf(search);
  return {
    ...participant.sut.identity,
    concurrency: bench.concurrency,
    latencyBoundSeconds: bench.latencyBoundSeconds,
    latencyBoundPermille: bench.latencyBoundPermille,
    peak: {
      ratePerSecond: peak?.rate ?? null,
      failsAtPerSecond: peak?.failsAt ?? null,
      confirmed: peak?.confirmed ?? false,
      isNoisy: peak?.isNoisy ?? false,
      limitedBy,
      reason: reasonOf(search, limitedBy, settings),
    },
    closedLoopPerSecond,
    trials: trials.map(({ report }) => report),
    valid: invalidReasons.length === 0,
    invalidReasons,
    peakRssBytes: participant.usage?.peakRssBytes ?? null,
    failure: participant.failure,
  };
}

/** The later ones against the first; those without a peak are left out. */
export function comparePeaks([base, ...candidates]: readonly PeakResult[]): readonly PeakRatio[] {
  const baseRate = base?.peak.ratePerSecond;
  if (base === undefined || baseRate == null) return [];
  return candidates.flatMap(({ variant, peak }) => {
    const rate = peak.ratePerSecond;
    if (rate === null) return [];
    const { failsAtPerSecond: baseFailsAt } = base.peak;
    return {
      base: base.variant,
      candidate: variant,
      ratio: rate / baseRate,
      lower: baseFailsAt === null ? null : rate / baseFailsAt,
      upper: peak.failsAtPerSecond === null ? null : peak.failsAtPerSecond / baseRate,
    };
  });
}

function limitOf({ cutShort, peak, trials }: PeakSearch): PeakLimit {
  if (cutShort !== null) return cutShort;
  if (peak?.ended === 'at-highest') return 'cap';
  if (peak?.ended === 'too-many-trials') return 'trials';
  const failed = at(trials, peak?.failsAt).filter(({ report }) => !report.passed);
  const outgrown = failed.some(({ report }) => ['saturated', 'unfinished'].includes(report.outcome));
  return outgrown ? 'saturation' : 'bound';
}

function reasonOf(
  { peak, trials, participant }: PeakSearch,
  limitedBy: PeakLimit,
  { bench, maxTrials }: PeakSettings,
): string {
  const bound = `${bench.latencyBoundPermille / 10}th percentile within ${formatSeconds(bench.latencyBoundSeconds)}`;
  const rate = (perSecond: number | null | undefined) =>
    perSecond == null ? 'an unknown rate' : `${formatRate(perSecond)}/s`;
  const said = at(trials, peak?.failsAt).findLast(({ report }) => !report.passed)?.report.reason;
  switch (limitedBy) {
    case 'bound':
    case 'saturation':
      return peak?.rate == null
        ? `Even at ${rate(peak?.failsAt)}, an eighth of its speed, it does not keep its ${bound}: ${said}`
        : `At ${rate(peak.failsAt)} ${said}`;
    case 'cap':
      return `The highest rate that was tried, ${rate(peak?.rate)}, still has the ${bound}`;
    case 'service-time':
      return `One query alone takes longer than ${formatSeconds(bench.latencyBoundSeconds)}, at whatever rate they come`;
    case 'trials':
      return `The ${maxTrials} trials were used up: the peak lies ${peak?.rate == null ? 'below' : `above ${rate(peak.rate)} and below`} ${rate(peak?.failsAt)}`;
    case 'failure':
      return participant.failure?.message ?? 'It failed';
    case 'cancelled':
      return 'The search was cancelled';
  }
}

/** What is wrong with the trials that decided. One that failed is invalid by nature, except for what others did to it. */
function invalidReasonsOf(search: PeakSearch, settings: PeakSettings): string[] {
  const { participant, trials, peak } = search;
  const { identity } = participant.sut;
  const passed = at(trials, peak?.rate).filter(({ report }) => report.passed);
  const failed = at(trials, peak?.failsAt).filter(({ report }) => !report.passed);
  const cores = Math.max(0, ...failed.map(({ otherCpuCores }) => otherCpuCores ?? 0));
  return [
    ...(participant.failure === null ? [] : [participant.failure.message]),
    ...new Set(passed.flatMap(({ report }) => report.invalidReasons)),
    ...reasonsFromUsage({ identity, usage: participant.usage }),
    ...(cores <= settings.bench.maxOtherCpuCores
      ? []
      : [
          `Other work on the host took ${cores.toFixed(2)} CPU cores at the rate that failed: the peak may be higher`,
        ]),
  ];
}

function at(trials: readonly MeasuredTrial[], rate: number | null | undefined): readonly MeasuredTrial[] {
  return trials.filter(({ report }) => report.rate === rate);
}
