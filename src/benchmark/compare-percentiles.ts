import { FEWEST_ROUNDS, pairedInterval } from './compare.ts';
import type { RoundPercentiles } from './percentile-curve.ts';
import { ratioOfMeans } from './unpaired-interval.ts';

/** How much faster a candidate is at a percentile: the base's latency over the candidate's, above 1 is faster. */
export interface PercentileRatio {
  readonly percentile: number;
  readonly ratio: number;
  readonly lower: number;
  readonly upper: number;
}

export interface PercentileOptions {
  /** Whether rounds of one number were measured side by side. */
  readonly paired: boolean;
  readonly confidence: number;
}

/**
 * The ratio at every percentile that at least three rounds of both were long enough for, with its interval from the
 * scatter between rounds.
 */
export function percentileRatios(
  base: readonly RoundPercentiles[],
  candidate: readonly RoundPercentiles[],
  { paired, confidence }: PercentileOptions,
): readonly PercentileRatio[] {
  const percentiles = [
    ...new Set(base.flatMap((round) => round.percentiles.map(({ percentile }) => percentile))),
  ];
  return percentiles
    .sort((a, b) => a - b)
    .flatMap((percentile) => {
      const ofBase = byRound(base, percentile);
      const ofCandidate = byRound(candidate, percentile);
      const interval = paired
        ? pairedInterval(pairedRatios(ofBase, ofCandidate), confidence)
        : unpairedInterval([...ofBase.values()], [...ofCandidate.values()], confidence);
      if (interval === null) return [];
      const { estimate: ratio, lower, upper } = interval;
      return [{ percentile, ratio, lower, upper }];
    });
}

function byRound(rounds: readonly RoundPercentiles[], percentile: number): ReadonlyMap<number, number> {
  return new Map(
    rounds.flatMap(({ round, percentiles }) => {
      const point = percentiles.find((of) => of.percentile === percentile);
      return point === undefined ? [] : [[round, point.seconds] as const];
    }),
  );
}

function pairedRatios(
  base: ReadonlyMap<number, number>,
  candidate: ReadonlyMap<number, number>,
): readonly number[] {
  return [...candidate].flatMap(([round, seconds]) => {
    const against = base.get(round);
    return against === undefined ? [] : [against / seconds];
  });
}

function unpairedInterval(base: readonly number[], candidate: readonly number[], confidence: number) {
  if (Math.min(base.length, candidate.length) < FEWEST_ROUNDS) return null;
  return ratioOfMeans(base, candidate, confidence);
}
