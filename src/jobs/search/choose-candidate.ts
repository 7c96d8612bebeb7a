import { formatBytes, formatSeconds } from '../../core/units.ts';
import type { AccuracyFigures, MeasuredCandidate, Standing } from './measured-candidate.ts';

/** What a model is to have besides the accuracy of the budget. */
export interface SearchGoals {
  readonly maxLatency?: Goal;
  readonly maxSize?: Goal;
}

/** In seconds or bytes, or as a share of what float32 has. */
export type Goal =
  | { readonly kind: 'absolute'; readonly value: number }
  | { readonly kind: 'relative'; readonly ratio: number };

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
 * and of several that cannot be told apart the most accurate. Where none of them reaches the goals, it takes what comes nearest.
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
    if (found !== undefined) return { ...found, standing, missedGoals: [] };
  }
  for (const { standing, pool } of pools) {
    const [nearest] = pool.toSorted(
      (a, b) => excess(a, goals, float32) - excess(b, goals, float32) || byAccuracy(a, b),
    );
    if (nearest === undefined) continue;
    const missed = missedGoals(nearest, goals, float32);
    return { chosen: nearest, standing, missedGoals: missed, reason: 'it comes nearest to the goals' };
  }
  const [best] = candidates.toSorted(byAccuracy);
  if (best === undefined) return undefined;
  return {
    chosen: best,
    standing: best.accuracy?.standing ?? 'unknown',
    missedGoals: missedGoals(best, goals, float32),
    reason:
      best.accuracy === undefined ? 'its accuracy is not known' : 'it loses least of those that were tried',
  };
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

function fastest(timed: readonly MeasuredCandidate[]): Found | undefined {
  const [first] = timed.toSorted((a, b) => seconds(a) - seconds(b));
  if (first === undefined) return undefined;
  const alike = timed.filter(({ latency }) => latency?.slowerThan.includes(first.candidate.label) !== true);
  const [chosen] = alike.toSorted(byAccuracy);
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
  const [chosen] = alike.toSorted(byAccuracy);
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

function seconds({ latency }: MeasuredCandidate): number {
  return latency?.medianSeconds ?? Number.POSITIVE_INFINITY;
}

const RANKS: Readonly<Record<Standing, number>> = { kept: 0, undecided: 1, doubtful: 2, missed: 3 };

/** The more accurate one first: by how surely the budget is kept, the loss, the distance of the outputs, and then the size. */
export function byAccuracy(a: MeasuredCandidate, b: MeasuredCandidate): number {
  return compareAccuracy(a.accuracy, b.accuracy) || a.built.sizeBytes - b.built.sizeBytes;
}

export function compareAccuracy(a: AccuracyFigures | undefined, b: AccuracyFigures | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return RANKS[a.standing] - RANKS[b.standing] || lossOf(a) - lossOf(b) || signal(b) - signal(a);
}

function lossOf({ loss }: AccuracyFigures): number {
  return loss ?? Number.MAX_VALUE;
}

/** Finite, so that two of which nothing differs are equal. */
function signal({ sqnrDb }: AccuracyFigures): number {
  return sqnrDb ?? Number.MAX_VALUE;
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
