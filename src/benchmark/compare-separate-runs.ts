import {
  type ComparableResult,
  type CompareOptions,
  comparedMetric,
  FEWEST_ROUNDS,
  type SpeedUp,
  toSpeedUp,
} from './compare.ts';
import { independentFigures } from './independent-figures.ts';
import { ratioOfMeans } from './unpaired-interval.ts';

/**
 * Compares results of two runs by the figures of their processes, of their rounds where there are fewer than three. Nothing takes out what differed between the runs, such as the
 * clock of the processor or the work of others, and the interval does not know of it: a difference below `minEffectRatio`,
 * 5 % unless given, is not claimed.
 */
export function compareSeparateRuns(
  base: ComparableResult,
  candidate: ComparableResult,
  { confidence = 0.95, minEffectRatio }: CompareOptions = {},
): SpeedUp {
  const metric = comparedMetric(candidate);
  const figures = ({ rounds }: ComparableResult) =>
    independentFigures(
      rounds.map(({ process, throughput, medianSeconds }) => ({
        process,
        value: metric === 'throughput' ? throughput : 1 / medianSeconds,
      })),
    ).values;
  const rounds = Math.min(base.rounds.length, candidate.rounds.length);
  const interval =
    rounds < FEWEST_ROUNDS ? null : ratioOfMeans(figures(candidate), figures(base), confidence);
  const finding =
    interval === null ? null : { interval, claim: interval, scatterRatio: Math.exp(interval.logStddev) - 1 };
  return toSpeedUp(base, candidate, {
    confidence,
    minEffectRatio,
    pairedRounds: 0,
    pairedProcesses: 0,
    finding,
  });
}
