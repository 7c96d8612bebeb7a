import type { SpeedUp } from '../benchmark/compare.ts';
import type { Verdict } from '../evaluation/verdict.ts';

/** What is known of a variant, as far as a choice goes by it. */
export interface Candidate {
  readonly variant: string;
  readonly sizeBytes: number;
  /** Absent where it was not evaluated. */
  readonly verdict?: Verdict | undefined;
  /** Against fp32, one a measurement. */
  readonly speedUps: readonly SpeedUp[];
}

export interface Recommendation {
  readonly variant: string;
  /** A sentence that says what speaks for it, and against the others. */
  readonly reason: string;
}

const ACCEPTED: ReadonlySet<Verdict | undefined> = new Set(['non_inferior', 'degraded_within_budget']);

/**
 * The variant to use: of those whose accuracy is shown to be within the budget, the one that is surely the fastest; where none is
 * faster than fp32, the smallest that is not slower; otherwise fp32. What is not measured or not valid counts for nothing.
 * @param base fp32
 */
export function recommendVariant(
  base: { readonly variant: string; readonly sizeBytes: number },
  candidates: readonly Candidate[],
): Recommendation {
  const accepted = candidates.filter(({ verdict }) => ACCEPTED.has(verdict));
  const fastest = best(accepted.filter(isFaster), (one) => leastSpeedUp(one) ?? 0);
  if (fastest !== undefined) {
    const times = (leastSpeedUp(fastest) ?? 1).toFixed(2);
    return {
      variant: fastest.variant,
      reason: `its accuracy is within the budget, and it is at least ${times} times as fast as ${base.variant}`,
    };
  }
  const smaller = accepted.filter((one) => one.sizeBytes < base.sizeBytes && isNotSlower(one));
  const smallest = best(smaller, ({ sizeBytes }) => -sizeBytes);
  if (smallest !== undefined) {
    const share = Math.round((smallest.sizeBytes / base.sizeBytes) * 100);
    return {
      variant: smallest.variant,
      reason: `its accuracy is within the budget, it is not slower than ${base.variant}, and it has ${share} % of its size`,
    };
  }
  return { variant: base.variant, reason: whyNone(candidates, accepted) };
}

/** In no valid measurement slower, and faster in one of them. */
function isFaster(candidate: Candidate): boolean {
  return isNotSlower(candidate) && validOf(candidate).some(({ outcome }) => outcome === 'faster');
}

function isNotSlower(candidate: Candidate): boolean {
  const valid = validOf(candidate);
  return (
    valid.length > 0 && valid.every(({ outcome }) => outcome === 'faster' || outcome === 'not-distinguished')
  );
}

function validOf({ speedUps }: Candidate): readonly SpeedUp[] {
  return speedUps.filter(({ valid }) => valid);
}

/** The lower end of the interval in the measurement where it gains least. */
function leastSpeedUp(candidate: Candidate): number | undefined {
  const faster = validOf(candidate).flatMap(({ outcome, lower }) =>
    outcome === 'faster' && lower !== null ? [lower] : [],
  );
  return faster.length === 0 ? undefined : Math.min(...faster);
}

function best(
  candidates: readonly Candidate[],
  worth: (candidate: Candidate) => number,
): Candidate | undefined {
  return candidates.reduce<Candidate | undefined>(
    (found, one) => (found === undefined || worth(one) > worth(found) ? one : found),
    undefined,
  );
}

function whyNone(candidates: readonly Candidate[], accepted: readonly Candidate[]): string {
  if (candidates.length === 0) return 'there is no other variant';
  if (candidates.every(({ verdict }) => verdict === undefined)) return 'no other variant was evaluated';
  if (accepted.length === 0) return 'of no other variant it is shown that its accuracy is within the budget';
  if (accepted.every((one) => validOf(one).length === 0))
    return 'no valid measurement compares the speed of a variant whose accuracy is within the budget';
  return 'no variant whose accuracy is within the budget is faster, or smaller and as fast';
}
