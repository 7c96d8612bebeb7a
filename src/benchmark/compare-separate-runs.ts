import {
  type ComparableResult,
  type CompareOptions,
  comparedMetric,
  FEWEST_ROUNDS,
  outcomeOf,
  type SpeedUp,
} from './compare.ts';
import { ratioOfMeans } from './unpaired-interval.ts';

/**
 * Compares results of two runs by the figures of their rounds. Nothing takes out what differed between the runs, such as the
 * clock of the processor or the work of others, and the interval does not know of it: a difference below `minEffectRatio`,
 * 5 % unless given, is not claimed.
 */
export function compareSeparateRuns(
  base: ComparableResult,
  candidate: ComparableResult,
  { confidence = 0.95, minEffectRatio = 0.05 }: CompareOptions = {},
): SpeedUp {
  const metric = comparedMetric(candidate);
  const figures = ({ rounds }: ComparableResult) =>
    rounds.map(({ throughput, medianSeconds }) => (metric === 'throughput' ? throughput : 1 / medianSeconds));
  const rounds = Math.min(base.rounds.length, candidate.rounds.length);
  const interval =
    rounds < FEWEST_ROUNDS ? null : ratioOfMeans(figures(candidate), figures(base), confidence);
  const subject = {
    base: base.variant,
    candidate: candidate.variant,
    metric,
    confidence,
    pairedRounds: 0,
    valid: base.valid && candidate.valid,
  } as const;
  if (interval === null) {
    return {
      ...subject,
      outcome: 'too-few-rounds',
      ratio: null,
      lower: null,
      upper: null,
      noiseFloorRatio: null,
    };
  }
  const { estimate: ratio, lower, upper, logStddev } = interval;
  const noiseFloorRatio = Math.max(minEffectRatio, Math.exp(logStddev) - 1);
  return { ...subject, outcome: outcomeOf(interval, noiseFloorRatio), ratio, lower, upper, noiseFloorRatio };
}
