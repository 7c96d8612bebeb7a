import { comparePaired, type PairedCounts } from '../../src/evaluation/paired.ts';
import { judgeLoss, type Verdict } from '../../src/evaluation/statistics/judge-loss.ts';
import { figureOf } from '../../src/evaluation/statistics/loss.ts';
import { pairedBootstrap } from '../../src/evaluation/statistics/paired-bootstrap.ts';
import { pairedPermutationTest } from '../../src/evaluation/statistics/permutation-test.ts';
import { nextUint32, seedRandom } from '../../src/evaluation/statistics/random.ts';
import { itemsNeededForLoss } from '../../src/evaluation/statistics/sample-size.ts';
import type { Measure, MetricInfo, Weights } from '../../src/evaluation/task.ts';
import { DEFAULT_VERDICT_SETTINGS, judgeByLabels } from '../../src/evaluation/verdict.ts';

// Verdicts of many simulated comparisons, so that how often each is given can be held against what alpha and the exact
// power promise.

/** Numbers in [0, 1). */
export type Uniform = () => number;

export function uniform(seed: number): Uniform {
  const state = seedRandom(seed);
  return () => nextUint32(state) / 2 ** 32;
}

/** A standard normal number. Source: G. Box and M. Muller, Annals of Mathematical Statistics 29 (1958). */
export function normal(random: Uniform): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** How many of all comparisons got each verdict. */
export interface VerdictCounts extends Readonly<Record<Verdict, number>> {
  readonly comparisons: number;
}

/** Share of the comparisons in which a loss counted as shown, whatever the budget. */
export function shownShare({ regressed, degraded_within_budget, comparisons }: VerdictCounts): number {
  return (regressed + degraded_within_budget) / comparisons;
}

export function countVerdicts(comparisons: number, judge: () => Verdict): VerdictCounts {
  const counts = { non_inferior: 0, degraded_within_budget: 0, regressed: 0, inconclusive: 0, invalid: 0 };
  for (let comparison = 0; comparison < comparisons; comparison += 1) counts[judge()] += 1;
  return { ...counts, comparisons };
}

export interface ClassifierPair {
  readonly n: number;
  /** Accuracy of the reference. */
  readonly accuracy: number;
  /** Probability that an item is lost, and that one is gained. */
  readonly losses: number;
  readonly gains: number;
  /** Items of a group are lost and gained together; 1 where it is absent. */
  readonly groupSize?: number;
}

/** Verdict of the exact McNemar test on simulated labels. */
export function judgeClassifiers(pair: ClassifierPair, random: Uniform): Verdict {
  const counts = drawCounts(pair, random);
  const reference = (counts.bothRight + counts.referenceOnly) / pair.n;
  return judgeByLabels(comparePaired(counts), reference, DEFAULT_VERDICT_SETTINGS).verdict;
}

function drawCounts(pair: ClassifierPair, random: Uniform): PairedCounts {
  const { n, accuracy, losses, gains, groupSize = 1 } = pair;
  const counts = { bothRight: 0, referenceOnly: 0, candidateOnly: 0, bothWrong: 0 };
  // Of the items that stay as they are so many are right that the reference is right as often as it should be.
  const stayRight = (accuracy - losses) / (1 - losses - gains);
  for (let first = 0; first < n; first += groupSize) {
    const size = Math.min(groupSize, n - first);
    const draw = random();
    if (draw < losses) counts.referenceOnly += size;
    else if (draw < losses + gains) counts.candidateOnly += size;
    else if ((draw - losses - gains) / (1 - losses - gains) < stayRight) counts.bothRight += size;
    else counts.bothWrong += size;
  }
  return counts;
}

/** Two models on the same items, as `pairedBootstrap` and `pairedPermutationTest` take them. */
export interface SimulatedComparison {
  readonly metric: MetricInfo;
  readonly n: number;
  readonly reference: Measure;
  readonly candidate: Measure;
  /** Of the reference's answers, then the candidate's. */
  readonly both: Measure;
  readonly unchanged?: Uint8Array;
  readonly groups?: readonly string[];
}

const F1: MetricInfo = { name: 'f1', label: 'F1', better: 'higher', unit: 'proportion' };
export const MAE: MetricInfo = { name: 'mae', label: 'MAE', better: 'lower', unit: 'number' };

/** Two noisy copies of one detector: each is wrong about an item on its own with probability `noise` more than the other. */
export function noisyDetectors(
  n: number,
  { prevalence = 0.3, error = 0.15, noise = 0.0257 },
  random: Uniform,
): SimulatedComparison {
  const truth = new Uint8Array(2 * n);
  const found = new Uint8Array(2 * n);
  const unchanged = new Uint8Array(n);
  for (let item = 0; item < n; item += 1) {
    const isThere = random() < prevalence ? 1 : 0;
    const base = random() < error ? 1 - isThere : isThere;
    for (const at of [item, n + item]) {
      truth[at] = isThere;
      found[at] = random() < noise ? 1 - base : base;
    }
    unchanged[item] = found[item] === found[n + item] ? 1 : 0;
  }
  return {
    metric: F1,
    n,
    reference: f1Measure(truth.subarray(0, n), found.subarray(0, n)),
    candidate: f1Measure(truth.subarray(n), found.subarray(n)),
    both: f1Measure(truth, found),
    unchanged,
  };
}

/** Errors of two equally good models, which differ by `own` on each item and by `shared` on all items of a group alike. */
export function noisyErrors(
  n: number,
  { groupSize = 1, own = 0.2, shared = 0, shift = 0 },
  random: Uniform,
): SimulatedComparison {
  const errors = new Float64Array(2 * n);
  const groups: string[] = [];
  let together = 0;
  for (let item = 0; item < n; item += 1) {
    if (item % groupSize === 0) together = shared * normal(random);
    groups.push(`group ${Math.floor(item / groupSize)}`);
    errors[item] = Math.exp(0.5 * normal(random));
    errors[n + item] = (errors[item] as number) + shift + together + own * normal(random);
  }
  return {
    metric: MAE,
    n,
    reference: meanMeasure(errors.subarray(0, n)),
    candidate: meanMeasure(errors.subarray(n)),
    both: meanMeasure(errors),
    groups,
  };
}

export interface SimulatedJudging {
  readonly seed: number;
  /** Whether the items' groups are known to the test. */
  readonly byGroups: boolean;
  /** Of the bootstrap; without any the loss stays unbounded, which is enough to see how often one is shown. */
  readonly replicates?: number;
}

/** The whole way of a metric without a test of its own: permutation test, bootstrap, verdict. */
export function judgeSimulated(comparison: SimulatedComparison, judging: SimulatedJudging): Verdict {
  const { metric, n, reference, candidate, both, unchanged } = comparison;
  const { seed, byGroups, replicates = 0 } = judging;
  const groups = byGroups ? comparison.groups : undefined;
  const test = pairedPermutationTest({ measure: both, n, groups, unchanged, metric, seed });
  const bootstrap =
    replicates === 0
      ? { lossStandardError: null, lossUpperBound: null, oneMoreChange: null }
      : pairedBootstrap({ reference, candidate, n, groups, metric, seed, replicates });
  const { lossStandardError, lossUpperBound, oneMoreChange } = bootstrap;
  const before = figureOf(metric, reference());
  const budget = 0.01 * Math.abs(before ?? 0);
  const scatter =
    lossStandardError === null || oneMoreChange === null
      ? undefined
      : { lossStandardError, oneMoreChange, n };
  return judgeLoss(
    {
      metric,
      reference: before,
      candidate: figureOf(metric, candidate()),
      loss: test?.loss ?? null,
      pValue: test?.pValue ?? null,
      lossUpperBound,
      budget,
      n,
      itemsNeeded: scatter === undefined ? undefined : itemsNeededForLoss(scatter, budget),
    },
    DEFAULT_VERDICT_SETTINGS,
  ).verdict;
}

function f1Measure(truth: Uint8Array, found: Uint8Array): Measure {
  return (weights?: Weights) => {
    let both = 0;
    let one = 0;
    for (let i = 0; i < truth.length; i += 1) {
      const votes = (truth[i] as number) + (found[i] as number);
      const weight = weights === undefined ? 1 : (weights[i] as number);
      if (votes === 2) both += weight;
      else if (votes === 1) one += weight;
    }
    return { f1: both + one === 0 ? null : (2 * both) / (2 * both + one) };
  };
}

function meanMeasure(values: Float64Array): Measure {
  return (weights?: Weights) => {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < values.length; i += 1) {
      const weight = weights === undefined ? 1 : (weights[i] as number);
      sum += weight * (values[i] as number);
      count += weight;
    }
    return { mae: count === 0 ? null : sum / count };
  };
}
