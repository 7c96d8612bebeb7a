import { incompleteBeta, inverseIncompleteBeta } from './special-functions.ts';

/** An interval for a proportion, both ends in [0, 1]. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
  /** Coverage that the interval guarantees, such as 0.95. */
  readonly confidence: number;
}

/**
 * Exact two-sided interval for the proportion of successes, (1 − confidence)/2 in each tail. Without trials it is [0, 1].
 * Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934).
 */
export function clopperPearsonInterval(successes: number, trials: number, confidence = 0.95): Interval {
  const tail = (1 - confidence) / 2;
  return {
    lower: lowerLimit(successes, trials, tail),
    upper: upperLimit(successes, trials, tail),
    confidence,
  };
}

/** Exact one-sided upper bound: the largest proportion that so few successes do not rule out. */
export function clopperPearsonUpperBound(successes: number, trials: number, confidence = 0.95): number {
  return upperLimit(successes, trials, 1 - confidence);
}

/** P[X ≥ successes] for X ~ Binomial(trials, probability). */
export function binomialUpperTail(successes: number, trials: number, probability: number): number {
  requireCounts(successes, trials);
  return successes === 0 ? 1 : incompleteBeta(probability, successes, trials - successes + 1);
}

function upperLimit(successes: number, trials: number, tail: number): number {
  requireCounts(successes, trials);
  if (!(tail > 0 && tail < 1)) throw new RangeError('the confidence must lie between 0 and 1');
  if (successes === trials) return 1;
  // (1 − p)^n = tail, solved without losing digits where p is small.
  if (successes === 0) return -Math.expm1(Math.log(tail) / trials);
  return inverseIncompleteBeta(1 - tail, successes + 1, trials - successes);
}

function lowerLimit(successes: number, trials: number, tail: number): number {
  if (successes === 0) return 0;
  if (successes === trials) return Math.exp(Math.log(tail) / trials);
  return inverseIncompleteBeta(tail, successes, trials - successes + 1);
}

function requireCounts(successes: number, trials: number): void {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials) {
    throw new RangeError(`${successes} successes of ${trials} trials`);
  }
}
