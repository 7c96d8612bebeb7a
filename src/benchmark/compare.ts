import type { BenchResult, RoundSummary } from './bench-result.ts';
import { type GeometricMeanInterval, geometricMeanInterval } from './confidence-interval.ts';
import { independentFigures } from './independent-figures.ts';
import { trimmedMeanInterval } from './trimmed-interval.ts';

/**
 * `not-distinguished` never means equal: the interval says how large a difference may have gone unseen.
 */
type SpeedOutcome = 'faster' | 'slower' | 'not-distinguished' | 'too-few-rounds';

/** How much faster a candidate is than its base: above 1 it is faster. */
export interface SpeedUp {
  readonly base: string;
  readonly candidate: string;
  /** The ratio of the rounds' medians in single-stream, of their throughputs in offline. */
  readonly metric: 'median-latency' | 'throughput';
  readonly outcome: SpeedOutcome;
  /** Geometric mean over the rounds; null with too few rounds for an interval. */
  readonly ratio: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly confidence: number;
  /** The relative difference that the host's own scatter between rounds would pass for; null as above. */
  readonly noiseFloorRatio: number | null;
  readonly pairedRounds: number;
  /** Processes of either that these rounds come from. From three on they, and not the rounds, are what the interval is made of. */
  readonly pairedProcesses: number;
  /** Whether both results are valid. */
  readonly valid: boolean;
}

export interface CompareOptions {
  readonly confidence?: number;
  /** The smallest relative difference worth a word. */
  readonly minEffectRatio?: number;
}

/** What a comparison looks at. */
export type ComparableResult = Pick<BenchResult, 'variant' | 'scenario' | 'valid' | 'rounds'>;

/** Smaller differences are not worth a word, however sure. */
const SMALLEST_EFFECT = 0.01;
/**
 * Two processes of the same model differ for all of their lives, by which CPU they run on and where in memory they lie, and
 * no number of rounds averages that out: on a virtual machine with two CPUs by less than 5 % in 16 of 22 pairs. With fewer
 * than three processes of each, a smaller difference is therefore not claimed.
 */
const PROCESS_SCATTER = 0.05;

export const FEWEST_ROUNDS = 3;
/** From here on a fifth at either end can be done without, so that single disturbed rounds cost little. */
const ROUNDS_TO_TRIM = 8;
/**
 * Trimmed intervals are a little narrower than they say for so few rounds. In simulations of hosts that drift and are
 * disturbed, 5 of 100 equals would pass for different at 95 %, at 97 % it is 3 to 4.
 */
const CLAIM_CONFIDENCE = 0.97;

/**
 * Compares two results of one interleaved run, round by round, which takes out whatever slowed a whole round. With three or
 * more processes of each, the ratios of the rounds of one pair of processes become one, and the interval is that of these
 * pairs: rounds of one process depend on one another (Kalibera and Jones, "Rigorous benchmarking in reasonable time", ISMM
 * 2013). With fewer, it is that of the rounds, and nothing below 5 % is claimed. From eight ratios on it is a trimmed mean, so
 * that what something else disturbed has no weight. A difference is claimed only when the interval at 97 % (or `confidence`,
 * if higher) excludes 1 and the ratio lies further from 1 than the noise floor: the scatter of a single variant (that of
 * the ratios over √2), at least `minEffectRatio`.
 */
export function compareResults(
  base: ComparableResult,
  candidate: ComparableResult,
  { confidence = 0.95, minEffectRatio }: CompareOptions = {},
): SpeedUp {
  const rounds = pairedRatios(base.rounds, candidate.rounds, comparedMetric(candidate));
  const { values, areOfProcesses } = independentFigures(rounds);
  const interval = pairedInterval(values, confidence);
  const claim = pairedInterval(values, Math.max(confidence, CLAIM_CONFIDENCE));
  const finding =
    interval === null || claim === null
      ? null
      : { interval, claim, scatterRatio: Math.exp(interval.logStddev / Math.SQRT2) - 1 };
  return toSpeedUp(base, candidate, {
    confidence,
    minEffectRatio: minEffectRatio ?? (areOfProcesses ? SMALLEST_EFFECT : PROCESS_SCATTER),
    pairedRounds: rounds.length,
    pairedProcesses: new Set(rounds.map(({ process }) => process)).size,
    finding,
  });
}

/** What the rounds of two results say. */
interface Finding {
  /** Of the ratio, as it is reported. */
  readonly interval: GeometricMeanInterval;
  /** The one that decides. */
  readonly claim: GeometricMeanInterval;
  /** The relative difference that the scatter between rounds would pass for. */
  readonly scatterRatio: number;
}

/** @param finding null for too few rounds */
export function toSpeedUp(
  base: ComparableResult,
  candidate: ComparableResult,
  {
    confidence,
    minEffectRatio = PROCESS_SCATTER,
    pairedRounds,
    pairedProcesses,
    finding,
  }: {
    readonly confidence: number;
    readonly minEffectRatio?: number | undefined;
    readonly pairedRounds: number;
    readonly pairedProcesses: number;
    readonly finding: Finding | null;
  },
): SpeedUp {
  const subject = {
    base: base.variant,
    candidate: candidate.variant,
    metric: comparedMetric(candidate),
    confidence,
    pairedRounds,
    pairedProcesses,
    valid: base.valid && candidate.valid,
  };
  if (finding === null) {
    const nothing = { ratio: null, lower: null, upper: null, noiseFloorRatio: null };
    return { ...subject, outcome: 'too-few-rounds', ...nothing };
  }
  const { interval, claim, scatterRatio } = finding;
  const noiseFloorRatio = Math.max(minEffectRatio, scatterRatio);
  const { estimate: ratio, lower, upper } = interval;
  return { ...subject, outcome: outcomeOf(claim, noiseFloorRatio), ratio, lower, upper, noiseFloorRatio };
}

/** What a scenario is compared by. */
export function comparedMetric({ scenario }: Pick<ComparableResult, 'scenario'>): SpeedUp['metric'] {
  return scenario === 'offline' ? 'throughput' : 'median-latency';
}

/** A difference is claimed where the interval excludes 1 and the ratio lies beyond the noise floor. */
function outcomeOf(
  { estimate: ratio, lower, upper }: GeometricMeanInterval,
  noiseFloorRatio: number,
): SpeedOutcome {
  const largeEnough = Math.abs(Math.log(ratio)) > Math.log1p(noiseFloorRatio);
  if (!largeEnough || (lower <= 1 && upper >= 1)) return 'not-distinguished';
  return ratio > 1 ? 'faster' : 'slower';
}

/** The interval of ratios of paired rounds, without the weight of disturbed ones where there are enough; null for too few. */
export function pairedInterval(ratios: readonly number[], confidence: number): GeometricMeanInterval | null {
  if (ratios.length < FEWEST_ROUNDS) return null;
  return ratios.length < ROUNDS_TO_TRIM
    ? geometricMeanInterval(ratios, confidence)
    : trimmedMeanInterval(ratios, confidence);
}

/** `2.10x [2.02, 2.18]`, or why there is none. */
export function formatRatio({ ratio, lower, upper }: Pick<SpeedUp, 'ratio' | 'lower' | 'upper'>): string {
  if (ratio === null || lower === null || upper === null) return 'too few rounds to compare';
  return `${ratio.toFixed(2)}x [${lower.toFixed(2)}, ${upper.toFixed(2)}]`;
}

/** As `formatRatio`, with what it means where that is not plain. */
export function formatSpeedUp(
  speedUp: Pick<SpeedUp, 'ratio' | 'lower' | 'upper' | 'outcome'> & { readonly pairedRounds?: number },
): string {
  const figures = formatRatio(speedUp);
  if (speedUp.outcome === 'too-few-rounds') return `${figures} (${speedUp.pairedRounds ?? '–'})`;
  return speedUp.outcome === 'not-distinguished' ? `${figures} (within noise)` : figures;
}

function pairedRatios(
  base: readonly RoundSummary[],
  candidate: readonly RoundSummary[],
  metric: SpeedUp['metric'],
): { readonly process: number; readonly value: number }[] {
  const baseByRound = new Map(base.map((round) => [round.round, round]));
  return candidate.flatMap((of) => {
    const against = baseByRound.get(of.round);
    if (against === undefined) return [];
    const value =
      metric === 'throughput' ? of.throughput / against.throughput : against.medianSeconds / of.medianSeconds;
    return { process: of.process, value };
  });
}
