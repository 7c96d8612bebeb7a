import type { ItemFacts } from '../../core/item.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Measure, MetricInfo, Task, TaskProblem } from '../task.ts';
import { additiveMeasure } from './additive-measure.ts';
import {
  type DecisionSettings,
  decisionProblem,
  f1Score,
  leastPositiveScore,
  ratioOrZero,
} from './decision.ts';
import { answerFromOutput, type OutputChoice, type OutputValues } from './read-output.ts';
import { unsuitableTruth } from './unsuitable-truth.ts';

export interface BinaryOverTimeSettings extends OutputChoice, DecisionSettings {}

/** The scores of the frames of one item, rounded to float32; one where an item is a frame. */
export interface BinaryOverTimeAnswer {
  readonly scores: ArrayLike<number>;
  /** 1 or 0 for each frame. */
  readonly truth?: ArrayLike<number>;
}

const METRICS: readonly MetricInfo[] = [
  { name: 'f1', label: 'F1', better: 'higher', unit: 'proportion' },
  { name: 'accuracy', label: 'accuracy', better: 'higher', unit: 'proportion' },
  { name: 'precision', label: 'precision', better: 'higher', unit: 'proportion' },
  { name: 'recall', label: 'recall', better: 'higher', unit: 'proportion' },
  // Neither more nor less of it is better; it shows at once a model that says the same all the time.
  { name: 'positive_share', label: 'share of positive frames', better: 'higher', unit: 'proportion' },
];

const UNKNOWN = { f1: null, accuracy: null, precision: null, recall: null };

/**
 * A yes or no for each frame of a recording, such as voice activity. The output holds one number, where an item is a
 * frame, or one for each frame of the item. Truths are of the kind `class`, 0 or 1, or a `tensor` of one 0 or 1 for each
 * frame; F1, accuracy, precision and recall are null unless every item has one. All frames count alike, whatever item
 * they belong to, and the figures are those of scikit-learn's `f1_score`, `accuracy_score`, `precision_score` and
 * `recall_score`: 0 where nothing is divided by nothing. A frame that is NaN counts as the wrong decision.
 */
export function createBinaryOverTimeTask(settings: BinaryOverTimeSettings): Task<BinaryOverTimeAnswer> {
  const invalid = decisionProblem(settings);
  const least = leastPositiveScore(settings);
  return {
    name: 'binary-over-time',
    metrics: METRICS,
    againstReference: false,
    answer: answerFromOutput(settings, readAnswer, invalid),
    same: (reference, candidate) => isSameDecision(reference.scores, candidate.scores, least),
    show: ({ scores }) => {
      const positives = countPositives(scores, least);
      if (scores.length !== 1) return `yes in ${positives} of ${scores.length} frames`;
      return `${positives === 1 ? 'yes' : 'no'} (${Number(scores[0]?.toPrecision(3))})`;
    },
    measure: (answers) => measureDecisions(answers, least),
  };
}

function readAnswer(
  { values, dims }: OutputValues,
  item: ItemFacts,
): Result<BinaryOverTimeAnswer, TaskProblem> {
  // A plain array of one number takes a fraction of the memory of a typed one, and recordings have many frames.
  const scores = values.length === 1 ? [Math.fround(values[0] as number)] : Float32Array.from(values);
  const { truth } = item;
  if (truth === undefined) return ok({ scores });
  const wanted = `a 0 or 1 for each frame of the output, which is [${dims}],`;
  if (truth.kind !== 'tensor' && truth.kind !== 'class') {
    return err(unsuitableTruth(item, `of the kind '${truth.kind}'`, wanted));
  }
  const labels = truth.kind === 'class' ? [truth.index] : truth.values;
  if (labels.length !== scores.length) {
    return err(unsuitableTruth(item, `of ${labels.length} frames`, wanted));
  }
  for (let i = 0; i < labels.length; i += 1) {
    if (labels[i] !== 0 && labels[i] !== 1) return err(unsuitableTruth(item, `${labels[i]}`, wanted));
  }
  return ok({ scores, truth: labels });
}

function isSameDecision(reference: ArrayLike<number>, candidate: ArrayLike<number>, least: number): boolean {
  if (reference.length !== candidate.length) return false;
  for (let i = 0; i < reference.length; i += 1) {
    const r = reference[i] as number;
    const c = candidate[i] as number;
    if (Number.isNaN(r) || Number.isNaN(c) || r >= least !== c >= least) return false;
  }
  return true;
}

function countPositives(scores: ArrayLike<number>, least: number): number {
  let positives = 0;
  for (let i = 0; i < scores.length; i += 1) if ((scores[i] as number) >= least) positives += 1;
  return positives;
}

/** Positions of the sums. */
const FRAMES = 0;
const POSITIVES = 1;
const TRUE_POSITIVES = 2;
const FALSE_POSITIVES = 3;
const FALSE_NEGATIVES = 4;
const SUMS = 5;

function measureDecisions(answers: readonly BinaryOverTimeAnswer[], least: number): Measure {
  const isLabelled = answers.every(({ truth }) => truth !== undefined);
  return additiveMeasure(
    { items: answers.length, sums: SUMS },
    (item, add) => {
      const { scores, truth } = answers[item] as BinaryOverTimeAnswer;
      add(FRAMES, scores.length);
      add(POSITIVES, countPositives(scores, least));
      if (truth === undefined) return;
      let [truePositives, falsePositives, falseNegatives] = [0, 0, 0];
      for (let i = 0; i < scores.length; i += 1) {
        const score = scores[i] as number;
        // NaN is neither at least nor below the threshold, and wrong both ways.
        if (truth[i] === 0) falsePositives += score < least ? 0 : 1;
        else if (score >= least) truePositives += 1;
        else falseNegatives += 1;
      }
      add(TRUE_POSITIVES, truePositives);
      add(FALSE_POSITIVES, falsePositives);
      add(FALSE_NEGATIVES, falseNegatives);
    },
    (sums) => {
      const frames = sums[FRAMES] as number;
      const positiveShare = frames === 0 ? null : (sums[POSITIVES] as number) / frames;
      if (!isLabelled || frames === 0) return { ...UNKNOWN, positive_share: positiveShare };
      const truePositives = sums[TRUE_POSITIVES] as number;
      const falsePositives = sums[FALSE_POSITIVES] as number;
      const falseNegatives = sums[FALSE_NEGATIVES] as number;
      return {
        f1: f1Score({ truePositives, falsePositives, falseNegatives }),
        accuracy: (frames - falsePositives - falseNegatives) / frames,
        precision: ratioOrZero(truePositives, truePositives + falsePositives),
        recall: ratioOrZero(truePositives, truePositives + falseNegatives),
        positive_share: positiveShare,
      };
    },
  );
}
