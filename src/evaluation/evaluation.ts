import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { type ClassificationCounts, tallyClassification } from './classification.ts';
import {
  checkClassScores,
  type EvaluationItem,
  type EvaluationProblem,
  type EvaluationTask,
  type OutputPair,
  readOutputPairs,
} from './evaluation-item.ts';
import { accumulateFidelity, type OutputFidelity } from './fidelity.ts';
import { collectIndices, type IndexList } from './index-list.ts';
import { comparePaired, type PairedComparison } from './paired.ts';
import { clopperPearsonInterval, type Interval } from './proportion.ts';
import {
  allowedDrop,
  DEFAULT_VERDICT_SETTINGS,
  type Judgement,
  judgeByAgreement,
  judgeByFidelity,
  judgeByLabels,
  judgeValidity,
  type Verdict,
  type VerdictSettings,
} from './verdict.ts';

export interface EvaluatorOptions {
  readonly task: EvaluationTask;
  /** Numeric outputs to compare, by name; the first is the primary one. At least one. */
  readonly outputs: readonly string[];
  /** Class index of every item, by the item's index; only for the task `classification`. */
  readonly labels?: ArrayLike<number> | undefined;
  readonly settings?: VerdictSettings;
}

export interface Evaluator {
  /** Adds one item. A problem means that the models or labels do not belong together; the item is not counted then. */
  add(item: EvaluationItem): Result<undefined, EvaluationProblem>;
  /** Records an item on which a model failed to run; the verdict becomes `invalid`. */
  fail(index: number, cause: Problem): void;
  finish(): VariantEvaluation;
}

/** A candidate against its reference on one data set. Proportions are 0 to 1; absent is what could not be measured. */
export interface VariantEvaluation extends Partial<Accuracy> {
  readonly task: EvaluationTask;
  /** Items compared, without those that failed. */
  readonly n: number;
  /** Of the first output, as are `cosine`, `maxAbsError` and `identical`; see `OutputFidelity`. */
  readonly sqnrDb: number | null;
  readonly cosine: number | null;
  readonly maxAbsError: number;
  readonly identical: boolean;
  readonly outputs: readonly OutputFidelity[];
  /** Items with a NaN, or an infinity that only one model has, in any output. */
  readonly nonFinite: IndexList;
  /** Those of them on which it is the reference that gives NaN or infinity. */
  readonly nonFiniteReference: IndexList;
  /** Items on which a model failed to run. */
  readonly failed: IndexList;
  readonly verdict: Verdict;
  readonly verdictReason: string;
}

/** What class scores give: agreement always, the rest with labels. */
interface Accuracy {
  readonly top1: number;
  readonly top1Interval: Interval;
  /** With six classes or more. */
  readonly top5: number;
  readonly reference: { readonly top1: number; readonly top1Interval: Interval; readonly top5?: number };
  /** Share of the items on which both models predict the same class. */
  readonly agreement: number;
  readonly agreementInterval: Interval;
  readonly paired: PairedComparison;
  /** The loss of accuracy that the budget allows, as a share of the items. */
  readonly allowedDrop: number;
  /** Items whose predicted class differs from the reference's. */
  readonly flipped: IndexList;
}

/** Compares a candidate with its reference item by item. Memory does not grow with the number of items. */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  const { task, outputs, labels, settings = DEFAULT_VERDICT_SETTINGS } = options;
  const [primaryName] = outputs;
  if (primaryName === undefined) throw new RangeError('an evaluation needs at least one output');
  const classifies = task === 'classification';
  const fidelity = outputs.map(accumulateFidelity);
  const classification = tallyClassification();
  const flipped = collectIndices();
  const nonFinite = { reference: collectIndices(), candidate: collectIndices(), either: collectIndices() };
  const failed = collectIndices();
  let firstFailure: Problem | undefined;
  let n = 0;

  const recordFidelity = (index: number, pairs: readonly OutputPair[]): void => {
    const sides = new Set(pairs.map((pair, i) => fidelity[i]?.add(pair.reference, pair.candidate)));
    sides.delete(undefined);
    if (sides.size > 0) nonFinite.either.add(index);
    for (const side of sides) if (side !== undefined) nonFinite[side].add(index);
  };

  const recordPrediction = (
    index: number,
    [primary]: readonly OutputPair[],
    label: number | undefined,
  ): void => {
    if (primary === undefined) return;
    const agrees = classification.add(primary.reference, primary.candidate, label);
    if (!agrees) flipped.add(index);
  };

  const add = (item: EvaluationItem): Result<undefined, EvaluationProblem> => {
    const label = classifies && labels !== undefined ? labelOf(labels, item.index) : undefined;
    const pairs = readOutputPairs(item, outputs);
    if (!pairs.ok) return pairs;
    const scores = classifies ? checkClassScores(item, primaryName, label) : ok(undefined);
    if (!scores.ok) return scores;
    n += 1;
    recordFidelity(item.index, pairs.value);
    if (classifies) recordPrediction(item.index, pairs.value, label);
    return ok(undefined);
  };

  const finish = (): VariantEvaluation => {
    const fidelities = fidelity.map((accumulator) => accumulator.result());
    const primary = fidelities[0] as OutputFidelity;
    const counts = classifies && n > 0 ? classification.result() : undefined;
    const accuracy =
      counts === undefined ? {} : { ...describeAccuracy(counts, settings), flipped: flipped.list() };
    const judgement =
      judgeValidity({
        n,
        failed: failed.list(),
        firstFailure,
        nonFiniteReference: nonFinite.reference.list(),
        nonFiniteCandidate: nonFinite.candidate.list(),
      }) ?? judge(accuracy, counts, primary, settings);
    return {
      task,
      n,
      ...accuracy,
      sqnrDb: primary.sqnrDb,
      cosine: primary.cosine,
      maxAbsError: primary.maxAbsError,
      identical: primary.identical,
      outputs: fidelities,
      nonFinite: nonFinite.either.list(),
      nonFiniteReference: nonFinite.reference.list(),
      failed: failed.list(),
      verdict: judgement.verdict,
      verdictReason: judgement.reason,
    };
  };

  return {
    add,
    fail: (index, cause) => {
      failed.add(index);
      firstFailure ??= cause;
    },
    finish,
  };
}

function labelOf(labels: ArrayLike<number>, index: number): number {
  const label = labels[index];
  if (label === undefined) throw new RangeError(`item ${index} has no label; there are ${labels.length}`);
  return label;
}

function describeAccuracy(
  { items, agreed, paired, top5 }: ClassificationCounts,
  { confidence, budget, metric }: VerdictSettings,
): Partial<Accuracy> {
  const agreement = {
    agreement: agreed / items,
    agreementInterval: clopperPearsonInterval(agreed, items, confidence),
  };
  if (paired === undefined) return { ...agreement, allowedDrop: allowedDrop(budget, 1) };
  const referenceRight = paired.bothRight + paired.referenceOnly;
  const candidateRight = paired.bothRight + paired.candidateOnly;
  return {
    top1: candidateRight / items,
    top1Interval: clopperPearsonInterval(candidateRight, items, confidence),
    ...(top5 === undefined ? {} : { top5: top5.candidate / items }),
    reference: {
      top1: referenceRight / items,
      top1Interval: clopperPearsonInterval(referenceRight, items, confidence),
      ...(top5 === undefined ? {} : { top5: top5.reference / items }),
    },
    ...agreement,
    paired: comparePaired(paired, confidence),
    allowedDrop: allowedDrop(budget, metric === 'agreement' ? 1 : referenceRight / items),
  };
}

function judge(
  { paired, reference }: Partial<Accuracy>,
  counts: ClassificationCounts | undefined,
  primary: OutputFidelity,
  settings: VerdictSettings,
): Judgement {
  if (counts === undefined) return judgeByFidelity(primary, settings);
  const byLabels = settings.metric !== 'agreement';
  if (byLabels && paired !== undefined && reference !== undefined)
    return judgeByLabels(paired, reference.top1, settings);
  return judgeByAgreement(counts.items - counts.agreed, counts.items, settings);
}
