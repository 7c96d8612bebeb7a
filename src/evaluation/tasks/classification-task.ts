import type { ItemFacts } from '../../core/item.ts';
import { problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { isInTop, predictedClass } from '../classification.ts';
import type { Measure, MetricInfo, Task, TaskProblem } from '../task.ts';
import { additiveMeasure } from './additive-measure.ts';
import { answerFromOutput, type OutputChoice, type OutputValues } from './read-output.ts';
import { isClassOf, labelOutOfRange, unsuitableTruth } from './unsuitable-truth.ts';

export interface ClassificationSettings extends OutputChoice {
  /** Names of the classes in the model's order, for showing answers. */
  readonly classes?: readonly string[];
}

/** What a classifier says about one item. The last three are known where the truth is. */
export interface ClassificationAnswer {
  /** The class of the largest score, the first of equals; -1 where a score is NaN. */
  readonly predicted: number;
  readonly truth?: number;
  readonly right?: boolean;
  /** From six classes on, as one of five is always right. */
  readonly inTop5?: boolean;
}

/** How many items of one class there are, and how many of them are recognized. */
export interface ClassRecall {
  readonly label: number;
  readonly n: number;
  readonly right: number;
}

export interface ClassificationTask extends Task<ClassificationAnswer> {
  /** By class, those that occur among the truths, in the model's order; empty without truths. */
  perClass(answers: readonly ClassificationAnswer[]): readonly ClassRecall[];
}

const TOP5_MIN_CLASSES = 6;

const METRICS: readonly MetricInfo[] = [
  { name: 'top1', label: 'top-1', better: 'higher', unit: 'proportion' },
  { name: 'top5', label: 'top-5', better: 'higher', unit: 'proportion' },
  { name: 'balanced_accuracy', label: 'balanced accuracy', better: 'higher', unit: 'proportion' },
];

/**
 * One class for each item, from an output that holds one score for each class: one axis is larger than 1. Truths are of
 * the kind `class`; the figures are null unless every item has one, and `top5` is null below six classes.
 * `balanced_accuracy` is the mean over the classes that occur among the truths of the share that is recognized, as
 * scikit-learn's `balanced_accuracy_score`.
 */
export function createClassificationTask(settings: ClassificationSettings): ClassificationTask {
  const readAnswer = (output: OutputValues, item: ItemFacts): Result<ClassificationAnswer, TaskProblem> => {
    const classes = scoredClasses(output, item);
    if (!classes.ok) return classes;
    const predicted = predictedClass(output.values);
    const { truth } = item;
    if (truth === undefined) return ok({ predicted });
    if (truth.kind !== 'class') {
      return err(unsuitableTruth(item, `of the kind '${truth.kind}'`, "one class (the kind 'class')"));
    }
    if (!isClassOf(classes.value, truth.index)) {
      return err(labelOutOfRange(item, truth.index, output.name, classes.value));
    }
    return ok({
      predicted,
      truth: truth.index,
      right: predicted === truth.index,
      ...(classes.value < TOP5_MIN_CLASSES ? {} : { inTop5: isInTop(5, output.values, truth.index) }),
    });
  };

  return {
    name: 'classification',
    metrics: METRICS,
    againstReference: false,
    answer: answerFromOutput(settings, readAnswer),
    // Two NaN outputs are two failures, not an agreement.
    same: (reference, candidate) => reference.predicted === candidate.predicted && candidate.predicted !== -1,
    show: ({ predicted }) =>
      predicted === -1 ? 'no class (NaN)' : (settings.classes?.[predicted] ?? `class ${predicted}`),
    isRight: ({ right }) => right,
    measure: measureClassification,
    perClass: countClasses,
  };
}

function scoredClasses({ name, dims }: OutputValues, item: ItemFacts): Result<number, TaskProblem> {
  const axes = dims.filter((dim) => dim !== 1);
  const [classes] = axes;
  if (axes.length === 1 && classes !== undefined && classes > 1) return ok(classes);
  return err(
    problem(
      'not-class-scores',
      `output '${name}' is [${dims}], which is not one score for each of several classes`,
      {
        place: { tensor: name, sample: item.index },
        hint: 'name the output with the class scores, or choose another task',
      },
    ),
  );
}

function measureClassification(answers: readonly ClassificationAnswer[]): Measure {
  const classes = answers.reduce((count, { truth }) => Math.max(count, (truth ?? -1) + 1), 0);
  const isLabelled = answers.every(({ truth }) => truth !== undefined);
  const isRanked = answers.every(({ inTop5 }) => inTop5 !== undefined);
  const top5 = 2 * classes;
  return additiveMeasure(
    { items: answers.length, sums: 2 * classes + 1 },
    (item, add) => {
      const { truth, right, inTop5 } = answers[item] as ClassificationAnswer;
      if (truth === undefined) return;
      add(truth, 1);
      if (right === true) add(classes + truth, 1);
      if (inTop5 === true) add(top5, 1);
    },
    (sums, total) => {
      if (!isLabelled || total === 0) return { top1: null, top5: null, balanced_accuracy: null };
      let right = 0;
      let recalls = 0;
      let occurring = 0;
      for (let label = 0; label < classes; label += 1) {
        const ofClass = sums[label] as number;
        if (ofClass === 0) continue;
        const recognized = sums[classes + label] as number;
        right += recognized;
        recalls += recognized / ofClass;
        occurring += 1;
      }
      return {
        top1: right / total,
        top5: isRanked ? (sums[top5] as number) / total : null,
        balanced_accuracy: recalls / occurring,
      };
    },
  );
}

function countClasses(answers: readonly ClassificationAnswer[]): readonly ClassRecall[] {
  const counts = new Map<number, { n: number; right: number }>();
  for (const { truth, right } of answers) {
    if (truth === undefined) continue;
    const count = counts.get(truth) ?? { n: 0, right: 0 };
    counts.set(truth, { n: count.n + 1, right: count.right + (right === true ? 1 : 0) });
  }
  return [...counts].map(([label, count]) => ({ label, ...count })).sort((a, b) => a.label - b.label);
}
