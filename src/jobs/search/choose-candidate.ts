import type { Goal, SearchGoals } from '../../core/goal.ts';
import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { MeasuredCandidate, Standing } from './measured-candidate.ts';
import { rankByAccuracy } from './rank-by-accuracy.ts';

/** The best of the candidates so far. */
export interface Choice {
  readonly chosen: MeasuredCandidate;
  /** `unknown` where its accuracy was not measured. */
  readonly standing: Standing | 'unknown';
  /** The goals that it misses, as sentences. */
  readonly missedGoals: readonly string[];
  /** What decided, as a sentence. */
  readonly reason: string;
}

/**
 * Chooses by accuracy first: a candidate that keeps the budget before one that seems to, that before one that seems not to.
 * Among those that keep it (or seem to) it takes
 * - without a goal, or with one for the size: the fastest,
 * - with a goal for the latency alone: the smallest of those that are fast enough,
 * and of several that cannot be told apart the most accurate. One that seems to keep the budget gives way to one as cheap that
 * is far nearer to float32 and lost no more than chance has it. Where none of them reaches the goals, it takes what comes nearest.
 * Where none keeps the budget, the most accurate. Undefined without candidates.
 */
export function chooseCandidate(
  candidates: readonly MeasuredCandidate[],
  goals: SearchGoals,
  float32: { readonly sizeBytes: number },
): Choice | undefined {
  const standings = ['kept', 'undecided'] as const;
  const pools = standings.map((standing) => ({
    standing,
    pool: candidates.filter(({ accuracy }) => accuracy?.standing === standing),
  }));
  for (const { standing, pool } of pools) {
    const reaching = pool.filter((of) => missedGoals(of, goals, float32).length === 0);
    const found = cheapest(reaching, goals);
    if (found === undefined) continue;
    const isReaching = (of: MeasuredCandidate) => missedGoals(of, goals, float32).length === 0;
    const nearer = standing === 'kept' ? undefined : farNearer(found.chosen, candidates.filter(isReaching));
    return { ...found, standing, missedGoals: [], ...nearer };
  }
  for (const { standing, pool } of pools) {
    const [nearest] = rankByAccuracy(pool).toSorted(
      (a, b) => excess(a, goals, float32) - excess(b, goals, float32),
    );
    if (nearest === undefined) continue;
    const missed = missedGoals(nearest, goals, float32);
    return { chosen: nearest, standing, missedGoals: missed, reason: 'it comes nearest to the goals' };
  }
  const [best] = rankByAccuracy(candidates);
  if (best === undefined) return undefined;
  return {
    chosen: best,
    standing: best.accuracy?.standing ?? 'unknown',
    missedGoals: missedGoals(best, goals, float32),
    reason:
      best.accuracy === undefined
        ? 'its accuracy is not known'
        : 'it is the most accurate of those that were tried',
  };
}

/** What is nearer to float32 by so much has half of the noise, which no few samples make of nothing. */
const FAR_NEARER_DB = 3;

/**
 * Of many candidates that are tried on few samples, some lose no answer by chance: who takes those alone takes luck for accuracy. How
 * far outputs are from those of float32 every sample tells about. So a candidate that lost more, but by no more than these samples
 * leave open of the chosen one, is the better choice where it is far nearer and costs no more.
 */
function farNearer(
  chosen: MeasuredCandidate,
  candidates: readonly MeasuredCandidate[],
): Pick<Choice, 'chosen' | 'standing' | 'reason'> | undefined {
  const { lossUpperBound, sqnrDb, samples } = chosen.accuracy ?? {};
  if (lossUpperBound == null || sqnrDb == null) return undefined;
  const rivals = candidates.filter(
    (of) =>
      of.accuracy?.standing === 'doubtful' &&
      (of.accuracy.loss ?? Number.POSITIVE_INFINITY) <= lossUpperBound &&
      (of.accuracy.sqnrDb ?? Number.POSITIVE_INFINITY) >= sqnrDb + FAR_NEARER_DB &&
      isAsCheap(of, chosen),
  );
  const [nearest] = rankByAccuracy(rivals);
  if (nearest === undefined) return undefined;
  const nearestDb = nearest.accuracy?.sqnrDb;
  const byDb = nearestDb == null ? 'far' : `${(nearestDb - sqnrDb).toFixed(1)} dB`;
  return {
    chosen: nearest,
    standing: 'doubtful',
    reason: `it is ${byDb} nearer to float32 than ${chosen.candidate.label}, which seems to lose less, but ${samples} samples cannot tell the two apart by that`,
  };
}

function isAsCheap(one: MeasuredCandidate, other: MeasuredCandidate): boolean {
  if (other.latency === undefined)
    return one.built.sizeBytes <= other.built.sizeBytes * SAME_SIZE_UNTIMED_RATIO;
  return (
    seconds(one) <= seconds(other) * SAME_LATENCY_RATIO &&
    one.latency?.slowerThan.includes(other.candidate.label) !== true
  );
}

interface Found {
  readonly chosen: MeasuredCandidate;
  readonly reason: string;
}

function cheapest(pool: readonly MeasuredCandidate[], goals: SearchGoals): Found | undefined {
  const timed = pool.filter(({ latency }) => latency !== undefined);
  const isFastEnough = goals.maxLatency !== undefined && goals.maxSize === undefined;
  return timed.length === 0 || isFastEnough ? smallest(pool, timed.length > 0) : fastest(timed);
}

/** On a busy host nothing can be told apart; what took so much longer is then taken for slower all the same. */
const SAME_LATENCY_RATIO = 1.1;

function fastest(timed: readonly MeasuredCandidate[]): Found | undefined {
  const [first] = timed.toSorted((a, b) => seconds(a) - seconds(b));
  if (first === undefined) return undefined;
  const alike = timed.filter(
    (of) =>
      seconds(of) <= seconds(first) * SAME_LATENCY_RATIO &&
      of.latency?.slowerThan.includes(first.candidate.label) !== true,
  );
  const [chosen] = rankByAccuracy(alike);
  const reason =
    alike.length === 1
      ? 'it is the fastest'
      : `it is the most accurate of ${alike.length} whose latency cannot be told from that of the fastest`;
  return { chosen: chosen ?? first, reason };
}

/** Sizes that differ by less are one size to whoever has room for them. */
const SAME_SIZE_RATIO = 1.02;
/** Where the size has to stand for the latency too, it tells less. */
const SAME_SIZE_UNTIMED_RATIO = 1.1;

function smallest(pool: readonly MeasuredCandidate[], areTimed: boolean): Found | undefined {
  const ratio = areTimed ? SAME_SIZE_RATIO : SAME_SIZE_UNTIMED_RATIO;
  const least = Math.min(...pool.map(({ built }) => built.sizeBytes));
  const alike = pool.filter(({ built }) => built.sizeBytes <= least * ratio);
  const [chosen] = rankByAccuracy(alike);
  if (chosen === undefined) return undefined;
  const why = areTimed ? 'of those that are fast enough' : 'as no latency was measured';
  return {
    chosen,
    reason:
      alike.length === 1
        ? `it is the smallest, ${why}`
        : `it is the most accurate of ${alike.length} that are about equally small, ${why}`,
  };
}

/** By the ratio to float32 in the same rounds, which what slowed whole rounds does not move. */
function seconds({ latency }: MeasuredCandidate): number {
  if (latency === undefined) return Number.POSITIVE_INFINITY;
  const { speedUp, float32Seconds, medianSeconds } = latency;
  return speedUp === null ? medianSeconds : float32Seconds / speedUp.ratio;
}

function limitOf(goal: Goal, float32: number): number {
  return goal.kind === 'absolute' ? goal.value : goal.ratio * float32;
}

/** Which goals a candidate does not reach. A latency that was not measured reaches none. */
function missedGoals(
  { built, latency }: MeasuredCandidate,
  { maxLatency, maxSize }: SearchGoals,
  float32: { readonly sizeBytes: number },
): readonly string[] {
  const missed: string[] = [];
  if (maxLatency !== undefined && latency === undefined) missed.push('its latency was not measured');
  else if (maxLatency !== undefined && latency !== undefined) {
    const limit = limitOf(maxLatency, latency.float32Seconds);
    if (latency.medianSeconds > limit)
      missed.push(
        `it takes ${formatSeconds(latency.medianSeconds)}, ${formatSeconds(latency.medianSeconds - limit)} more than the goal of ${formatSeconds(limit)}`,
      );
  }
  const sizeLimit = maxSize === undefined ? Number.POSITIVE_INFINITY : limitOf(maxSize, float32.sizeBytes);
  if (built.sizeBytes > sizeLimit)
    missed.push(
      `it has ${formatBytes(built.sizeBytes)}, ${formatBytes(Math.ceil(built.sizeBytes - sizeLimit))} more than the goal of ${formatBytes(Math.floor(sizeLimit))}`,
    );
  return missed;
}

/** By how many times a candidate exceeds the goal that it misses most; 1 where it misses none. */
function excess(
  { built, latency }: MeasuredCandidate,
  { maxLatency, maxSize }: SearchGoals,
  float32: { readonly sizeBytes: number },
): number {
  const ofLatency =
    maxLatency === undefined
      ? 1
      : latency === undefined
        ? Number.MAX_VALUE
        : latency.medianSeconds / limitOf(maxLatency, latency.float32Seconds);
  const ofSize = maxSize === undefined ? 1 : built.sizeBytes / limitOf(maxSize, float32.sizeBytes);
  return Math.max(1, ofLatency, ofSize);
}
