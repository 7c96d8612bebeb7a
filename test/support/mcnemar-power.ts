import { binomialUpperTail } from '../../src/evaluation/proportion.ts';

/**
 * Exact probability that the one-sided exact McNemar test finds a drop (p < alpha).
 * @param discordance share of the items on which exactly one of the models is right
 * @param drop accuracy of the reference minus that of the candidate in truth, at most the discordance
 */
export function mcnemarPower(n: number, discordance: number, drop: number, alpha: number): number {
  if (!(discordance >= 0 && discordance <= 1 && Math.abs(drop) <= discordance)) {
    throw new RangeError(`a drop of ${drop} at a discordance of ${discordance}`);
  }
  return powerOf(criticalCounts(n, discordance, alpha), discordance, drop);
}

/** One number of changed answers that may come up. */
interface Outcome {
  readonly changed: number;
  readonly probability: number;
  /** The fewest losses among them that the test finds significant; more than there are where none are enough. */
  readonly critical: number;
}

function powerOf(outcomes: readonly Outcome[], discordance: number, drop: number): number {
  if (discordance === 0) return 0;
  const lossShare = (discordance + drop) / (2 * discordance);
  let power = 0;
  for (const { changed, probability, critical } of outcomes) {
    if (critical <= changed) power += probability * binomialUpperTail(critical, changed, lossShare);
  }
  return Math.min(1, power);
}

function criticalCounts(n: number, discordance: number, alpha: number): readonly Outcome[] {
  const { first, probabilities } = binomialProbabilities(n, discordance);
  const outcomes: Outcome[] = [];
  let critical = 0;
  for (const [offset, probability] of probabilities.entries()) {
    const changed = first + offset;
    // One more changed answer never needs fewer losses, and at most one more of them.
    while (critical <= changed && binomialUpperTail(critical, changed, 0.5) >= alpha) critical += 1;
    outcomes.push({ changed, probability, critical });
  }
  return outcomes;
}

/** Probabilities of the numbers of successes around the most likely one, down to 1e-18 of it. They add up to 1. */
function binomialProbabilities(
  n: number,
  p: number,
): { readonly first: number; readonly probabilities: readonly number[] } {
  const mode = Math.min(n, Math.floor((n + 1) * p));
  const odds = p / (1 - p);
  const below: number[] = [];
  const above: number[] = [];
  for (let k = mode, share = 1; k > 0; k -= 1) {
    share *= k / ((n - k + 1) * odds);
    if (share < 1e-18) break;
    below.push(share);
  }
  for (let k = mode, share = 1; k < n; k += 1) {
    share *= ((n - k) * odds) / (k + 1);
    if (share < 1e-18) break;
    above.push(share);
  }
  const relative = [...below.reverse(), 1, ...above];
  const total = relative.reduce((sum, share) => sum + share, 0);
  return { first: mode - below.length, probabilities: relative.map((share) => share / total) };
}
