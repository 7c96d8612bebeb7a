import type { ItemFacts } from '../../core/item.ts';
import { problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Measure, MetricInfo, Task, TaskProblem } from '../task.ts';
import { additiveMeasure } from './additive-measure.ts';
import { averagePrecision, type Ranking, rankByScore } from './average-precision.ts';
import { type DecisionSettings, decisionProblem, f1Score, leastPositiveScore } from './decision.ts';
import { answerFromOutput, type OutputChoice, type OutputValues } from './read-output.ts';
import { isClassOf, labelOutOfRange, unsuitableTruth } from './unsuitable-truth.ts';

export interface MultiLabelSettings extends OutputChoice, DecisionSettings {}

/** The scores of one item, one for each class. */
export interface MultiLabelAnswer {
  /** As the model gives them, rounded to float32; where the truth is known NaN is replaced by the score that is most wrong. */
  readonly scores: Float32Array;
  readonly holdsNaN: boolean;
  /** 1 for each class that applies, otherwise 0. */
  readonly truth?: Uint8Array;
}

const METRICS: readonly MetricInfo[] = [
  { name: 'f1_micro', label: 'F1 (micro)', better: 'higher', unit: 'proportion' },
  { name: 'f1_macro', label: 'F1 (macro)', better: 'higher', unit: 'proportion' },
  { name: 'subset_accuracy', label: 'exact match', better: 'higher', unit: 'proportion' },
  { name: 'hamming_loss', label: 'Hamming loss', better: 'lower', unit: 'proportion' },
  { name: 'map_macro', label: 'mAP (macro)', better: 'higher', unit: 'proportion' },
];

const UNKNOWN = {
  f1_micro: null,
  f1_macro: null,
  subset_accuracy: null,
  hamming_loss: null,
  map_macro: null,
};

/**
 * Any number of classes for each item, from an output [1, classes] of one score each, a yes from the threshold on.
 * Truths are of the kind `classes`, or a `tensor` of one 0 or 1 for each class; the figures are null unless every item
 * has one. They are those of scikit-learn: `f1_score` (0 for a class that neither occurs nor is found),
 * `accuracy_score`, `hamming_loss`, and the mean over all classes of `average_precision_score` (0 for a class that does
 * not occur), which does not depend on the threshold. Scores that differ only after the sigmoid is rounded are no ties.
 */
export function createMultiLabelTask(settings: MultiLabelSettings): Task<MultiLabelAnswer> {
  const invalid = decisionProblem(settings);
  const least = leastPositiveScore(settings);
  return {
    name: 'multi-label',
    metrics: METRICS,
    againstReference: false,
    answer: answerFromOutput(settings, readAnswer, invalid),
    same: (reference, candidate) => isSameDecision(reference, candidate, least),
    show: ({ scores, holdsNaN }) => {
      if (holdsNaN) return 'NaN';
      const found = [...scores.keys()].filter((label) => (scores[label] as number) >= least);
      return found.length === 0 ? 'no class' : `classes ${found.join(', ')}`;
    },
    measure: (answers) => measureMultiLabel(answers, least),
  };
}

function readAnswer(
  { name, dims, values }: OutputValues,
  item: ItemFacts,
): Result<MultiLabelAnswer, TaskProblem> {
  if (values.length === 0 || dims.filter((dim) => dim !== 1).length > 1) {
    return err(
      problem('not-class-scores', `output '${name}' is [${dims}], which is not one score for each class`, {
        place: { tensor: name, sample: item.index },
        hint: 'name the output with the class scores, or choose another task',
      }),
    );
  }
  const scores = Float32Array.from(values);
  const holdsNaN = scores.some(Number.isNaN);
  if (item.truth === undefined) return ok({ scores, holdsNaN });
  const truth = readTruth(item, name, scores.length);
  if (!truth.ok) return truth;
  if (holdsNaN) replaceNaN(scores, truth.value);
  return ok({ scores, holdsNaN, truth: truth.value });
}

function readTruth(item: ItemFacts, output: string, classes: number): Result<Uint8Array, TaskProblem> {
  const { truth } = item;
  const wanted = `the list of the classes that apply, or one 0 or 1 for each of the ${classes} classes`;
  if (truth?.kind === 'classes') {
    const applies = new Uint8Array(classes);
    for (const label of truth.indices) {
      if (!isClassOf(classes, label)) return err(labelOutOfRange(item, label, output, classes));
      applies[label] = 1;
    }
    return ok(applies);
  }
  if (truth?.kind !== 'tensor') return err(unsuitableTruth(item, `of the kind '${truth?.kind}'`, wanted));
  const { values } = truth;
  if (values.length !== classes) return err(unsuitableTruth(item, `[${truth.dims}]`, wanted));
  const odd = Array.from(values).find((value) => value !== 0 && value !== 1);
  return odd === undefined
    ? ok(Uint8Array.from(values))
    : err(unsuitableTruth(item, `a tensor that holds ${odd}`, wanted));
}

function replaceNaN(scores: Float32Array, truth: Uint8Array): void {
  for (let label = 0; label < scores.length; label += 1) {
    if (!Number.isNaN(scores[label])) continue;
    scores[label] = truth[label] === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
}

function isSameDecision(reference: MultiLabelAnswer, candidate: MultiLabelAnswer, least: number): boolean {
  if (reference.holdsNaN || candidate.holdsNaN) return false;
  if (reference.scores.length !== candidate.scores.length) return false;
  return reference.scores.every(
    (score, label) => score >= least === (candidate.scores[label] as number) >= least,
  );
}

function measureMultiLabel(answers: readonly MultiLabelAnswer[], least: number): Measure {
  const classes = answers[0]?.scores.length ?? 0;
  if (answers.some(({ scores, truth }) => truth === undefined || scores.length !== classes)) {
    return () => UNKNOWN;
  }
  const rankings = Array.from({ length: classes }, (_, label) =>
    rankByScore(
      Float32Array.from(answers, ({ scores }) => scores[label] as number),
      Uint8Array.from(answers, ({ truth }) => truth?.[label] as number),
    ),
  );
  const falsePositive = classes;
  const falseNegative = 2 * classes;
  const exact = 3 * classes;
  return additiveMeasure(
    { items: answers.length, sums: 3 * classes + 1 },
    (item, add) => {
      const { scores, truth } = answers[item] as MultiLabelAnswer;
      let errors = 0;
      for (let label = 0; label < classes; label += 1) {
        const found = (scores[label] as number) >= least;
        const applies = truth?.[label] === 1;
        if (found && applies) add(label, 1);
        else if (found) add(falsePositive + label, 1);
        else if (applies) add(falseNegative + label, 1);
        if (found !== applies) errors += 1;
      }
      if (errors === 0) add(exact, 1);
    },
    (sums, total, weights) => {
      if (total === 0) return UNKNOWN;
      const all = { truePositives: 0, falsePositives: 0, falseNegatives: 0 };
      let f1Scores = 0;
      let precisions = 0;
      for (let label = 0; label < classes; label += 1) {
        const truePositives = sums[label] as number;
        const falsePositives = sums[falsePositive + label] as number;
        const falseNegatives = sums[falseNegative + label] as number;
        f1Scores += f1Score({ truePositives, falsePositives, falseNegatives });
        precisions += averagePrecision(rankings[label] as Ranking, weights);
        all.truePositives += truePositives;
        all.falsePositives += falsePositives;
        all.falseNegatives += falseNegatives;
      }
      return {
        f1_micro: f1Score(all),
        f1_macro: f1Scores / classes,
        subset_accuracy: (sums[exact] as number) / total,
        hamming_loss: (all.falsePositives + all.falseNegatives) / (total * classes),
        map_macro: precisions / classes,
      };
    },
  );
}
