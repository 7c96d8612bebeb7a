/** Ranks in ascending order, counted from 0; null where no value of the sample bounds the percentile. */
export interface RankInterval {
  readonly lower: number | null;
  readonly upper: number | null;
}

// Terms of the binomial distribution below this share of its largest one do not move a sum at double precision.
const NEGLIGIBLE = 1e-18;

/**
 * Between which of `n` independent values in ascending order the percentile of their distribution lies with at least the
 * given confidence, whatever that distribution is: the number of values at or below it is binomial. The ranks are the closest
 * with at most half of the remaining probability beyond either. Takes time in proportion to √n.
 *
 * Source: H. A. David and H. N. Nagaraja, "Order Statistics", third edition (2003), section 7.1.
 */
export function binomialRanks(n: number, permille: number, confidence: number): RankInterval {
  const tail = (1 - confidence) / 2;
  const { first, probability } = binomialProbabilities(n, permille / 1000);
  const last = first + probability.length - 1;
  // x[rank] lies above the percentile when at most `rank` values are at or below it …
  let lower: number | null = null;
  for (let rank = first, below = 0; rank <= last; rank++) {
    below += probability[rank - first] as number;
    if (below > tail) break;
    lower = rank;
  }
  // … and at or below it when more than `rank` values are.
  let upper: number | null = null;
  for (let more = last, above = 0; more >= first; more--) {
    above += probability[more - first] as number;
    if (above > tail) break;
    upper = more - 1;
  }
  return { lower, upper };
}

/** P[B = first + i] for every i at which it is not negligible, by the ratios of neighbours outward from the mode. */
function binomialProbabilities(n: number, p: number): { first: number; probability: readonly number[] } {
  const odds = p / (1 - p);
  const mode = Math.floor((n + 1) * p);
  const down: number[] = [];
  for (let k = mode, term = 1; k > 0 && term > NEGLIGIBLE; k--) {
    term *= k / ((n - k + 1) * odds);
    down.push(term);
  }
  const up: number[] = [];
  for (let k = mode, term = 1; k < n && term > NEGLIGIBLE; k++) {
    term *= ((n - k) * odds) / (k + 1);
    up.push(term);
  }
  const relative = [...down.reverse(), 1, ...up];
  const total = relative.reduce((sum, term) => sum + term, 0);
  return { first: mode - down.length, probability: relative.map((term) => term / total) };
}
