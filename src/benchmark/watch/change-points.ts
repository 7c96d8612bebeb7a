import { studentTQuantile } from '../confidence-interval.ts';

/** A place in a history where its level changed. */
export interface ChangePoint {
  /** The first value of the new level. */
  readonly at: number;
  /** The new level by the old one, geometric means of the segments on both sides. */
  readonly ratio: number;
}

export interface ChangePointSettings {
  /** Two-sided level of the test between neighbouring segments. */
  readonly significance: number;
  /** Smaller changes are not points, however sure: without a floor a history without any scatter has one at every rounding error. */
  readonly minEffectRatio: number;
  /** Values that a segment needs. */
  readonly fewest: number;
}

const CHANGE_POINTS: ChangePointSettings = { significance: 0.001, minEffectRatio: 0.05, fewest: 3 };

/**
 * Where the level of a history changed, looking back at all of it. Splits at the place where the distance between both sides (energy
 * statistic) is largest, again and again, while the sides differ, and then takes out what is weak with the segments as they ended up.
 * It annotates and does not alarm: the newest point moves while values come in.
 * Source: D. Matteson and N. James, "A Nonparametric Approach for Multiple Change Point Analysis", JASA 109 (2014); the test between
 * segments instead of permutations as in Fleming et al., "Hunter", ICPE 2023.
 * @param values greater than zero, the oldest first
 */
export function findChangePoints(
  values: readonly number[],
  settings: ChangePointSettings = CHANGE_POINTS,
): readonly ChangePoint[] {
  const logs = values.map(Math.log);
  let places = split(logs, 0, logs.length, settings);
  // Removing one changes its neighbours, so the weakest goes first and the others are looked at again.
  for (;;) {
    const strengths = places.map((at, index) => {
      const from = places[index - 1] ?? 0;
      const to = places[index + 1] ?? logs.length;
      return strengthAt(logs, from, at, to, settings);
    });
    const weakest = strengths.indexOf(Math.min(...strengths));
    if (places.length === 0 || (strengths[weakest] as number) >= 1) break;
    places = places.filter((_, index) => index !== weakest);
  }
  return places.map((at, index) => {
    const before = meanOf(logs, places[index - 1] ?? 0, at);
    const after = meanOf(logs, at, places[index + 1] ?? logs.length);
    return { at, ratio: Math.exp(after - before) };
  });
}

function split(
  logs: readonly number[],
  from: number,
  to: number,
  settings: ChangePointSettings,
): readonly number[] {
  if (to - from < 2 * settings.fewest) return [];
  const at = farthestSplit(logs, from, to, settings.fewest);
  // A point that a third one hides may be found once that one is known, so weak ones are kept for now.
  if (strengthAt(logs, from, at, to, { ...settings, significance: settings.significance * 10 }) < 1)
    return [];
  return [...split(logs, from, at, settings), at, ...split(logs, at, to, settings)];
}

/**
 * Where the energy distance between both sides, weighted by their lengths, is largest. With the sums of distances within both sides
 * and over all, which change by one row from place to place, one look at every pair is enough.
 */
function farthestSplit(logs: readonly number[], from: number, to: number, fewest: number): number {
  const n = to - from;
  const distance = (i: number, j: number) => Math.abs((logs[i] as number) - (logs[j] as number));
  let withinRight = 0;
  for (let i = from; i < to; i++) for (let j = i + 1; j < to; j++) withinRight += distance(i, j);
  const all = withinRight;
  let withinLeft = 0;
  let best = from + fewest;
  let largest = Number.NEGATIVE_INFINITY;
  for (let at = from + 1; at < to; at++) {
    const moved = at - 1;
    for (let i = from; i < moved; i++) withinLeft += distance(i, moved);
    for (let j = at; j < to; j++) withinRight -= distance(moved, j);
    const left = at - from;
    const right = n - left;
    if (left < fewest || right < fewest) continue;
    const between = (2 * (all - withinLeft - withinRight)) / (left * right);
    const energy = between - pairMean(withinLeft, left) - pairMean(withinRight, right);
    const weighted = (energy * left * right) / n;
    if (weighted > largest) {
      largest = weighted;
      best = at;
    }
  }
  return best;
}

function pairMean(sum: number, n: number): number {
  return n < 2 ? 0 : (2 * sum) / (n * (n - 1));
}

/** From 1 on the sides of a place differ, by the test and by enough; the smaller of both is what counts. */
function strengthAt(
  logs: readonly number[],
  from: number,
  at: number,
  to: number,
  { significance, minEffectRatio }: ChangePointSettings,
): number {
  const left = meanOf(logs, from, at);
  const right = meanOf(logs, at, to);
  const effect = Math.abs(right - left) / Math.log1p(minEffectRatio);
  const freedom = to - from - 2;
  if (freedom < 1) return 0;
  let squares = 0;
  for (let i = from; i < to; i++) squares += ((logs[i] as number) - (i < at ? left : right)) ** 2;
  const error = Math.sqrt((squares / freedom) * (1 / (at - from) + 1 / (to - at)));
  const critical = studentTQuantile(1 - significance, freedom) * error;
  return critical === 0 ? effect : Math.min(effect, Math.abs(right - left) / critical);
}

function meanOf(values: readonly number[], from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] as number;
  return sum / (to - from);
}
