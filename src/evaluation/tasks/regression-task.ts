import type { ItemFacts } from '../../core/item.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Figures, Measure, MetricInfo, Task, TaskProblem, Weights } from '../task.ts';
import { requireWeightForEach } from './additive-measure.ts';
import { answerFromOutput, type OutputChoice, type OutputValues } from './read-output.ts';
import { settingProblem } from './setting-problem.ts';
import { unsuitableTruth } from './unsuitable-truth.ts';

export interface RegressionSettings extends OutputChoice {
  /** How far a value may be from the reference's, relative to that, and still count as the same; 0.001 where it is absent. */
  readonly tolerance?: number;
  /** Whether `mape` is measured as well. It means little for targets near zero. */
  readonly mape?: boolean;
}

/** The values that a model gives for one item, with the true ones, of the same length, where they are known. */
export interface RegressionAnswer {
  readonly values: Float64Array | Float32Array;
  readonly truth?: ArrayLike<number>;
}

const DEFAULT_TOLERANCE = 1e-3;

const METRICS: readonly MetricInfo[] = [
  { name: 'mae', label: 'mean absolute error', better: 'lower', unit: 'number' },
  { name: 'rmse', label: 'root mean squared error', better: 'lower', unit: 'number' },
  { name: 'r2', label: 'R²', better: 'higher', unit: 'number' },
];

const MAPE: MetricInfo = {
  name: 'mape',
  label: 'mean absolute percentage error',
  better: 'lower',
  unit: 'proportion',
};

/**
 * Numbers, from an output of any shape. Truths are of the kind `tensor` with as many values, or `class` with its index as
 * the one value; the figures are null unless every item has one and all have the same number of values.
 *
 * The figures are scikit-learn's with the uniform average over the values of an item: `mean_absolute_error`,
 * `root_mean_squared_error`, `r2_score` and, if asked for, `mean_absolute_percentage_error`. R² of a value that is the
 * same for all items is 1 if it is met and otherwise 0, and R² of less than two items is null. Where an output is NaN or
 * infinite no error can be told: all figures are null then.
 *
 * Two answers are the same if no value differs by more than `tolerance` times the reference's, so a zero has to be met.
 * All values are kept, so this is for targets of few values and not for pictures.
 */
export function createRegressionTask(settings: RegressionSettings): Task<RegressionAnswer> {
  const { tolerance = DEFAULT_TOLERANCE, mape = false } = settings;
  const metrics = mape ? [...METRICS, MAPE] : METRICS;
  const invalid = settingProblem([
    {
      name: 'tolerance',
      value: tolerance,
      must: 'zero or a positive number',
      holds: tolerance >= 0 && Number.isFinite(tolerance),
    },
  ]);
  return {
    name: 'regression',
    metrics,
    againstReference: false,
    answer: answerFromOutput(settings, readAnswer, invalid),
    same: (reference, candidate) => isWithin(tolerance, reference.values, candidate.values),
    show: ({ values }) => {
      const shown = Array.from(values.subarray(0, MAX_SHOWN), (value) =>
        String(Number(value.toPrecision(4))),
      );
      return [...shown, ...(values.length > MAX_SHOWN ? ['…'] : [])].join(', ');
    },
    measure: (answers) => measureRegression(answers, metrics),
  };
}

const MAX_SHOWN = 4;

function readAnswer({ values, dims }: OutputValues, item: ItemFacts): Result<RegressionAnswer, TaskProblem> {
  const own = values instanceof Float32Array ? values.slice() : Float64Array.from(values);
  const { truth } = item;
  if (truth === undefined) return ok({ values: own });
  if (truth.kind !== 'tensor' && truth.kind !== 'class') {
    return err(unsuitableTruth(item, `of the kind '${truth.kind}'`, 'a number or a tensor of numbers'));
  }
  const target = truth.kind === 'class' ? [truth.index] : truth.values;
  if (target.length !== own.length) {
    const found = truth.kind === 'class' ? 'one number' : `[${truth.dims}]`;
    return err(unsuitableTruth(item, found, `a tensor like the output, which is [${dims}],`));
  }
  for (let i = 0; i < target.length; i += 1) {
    if (!Number.isFinite(target[i])) return err(unsuitableTruth(item, `${target[i]}`, 'a finite number'));
  }
  return ok({ values: own, truth: target });
}

function isWithin(tolerance: number, reference: ArrayLike<number>, candidate: ArrayLike<number>): boolean {
  if (reference.length !== candidate.length) return false;
  for (let i = 0; i < reference.length; i += 1) {
    const value = reference[i] as number;
    // The comparison is false for NaN, and for two infinities.
    if (!(Math.abs((candidate[i] as number) - value) <= tolerance * Math.abs(value))) return false;
  }
  return true;
}

function measureRegression(answers: readonly RegressionAnswer[], metrics: readonly MetricInfo[]): Measure {
  const unknown: Figures = Object.fromEntries(metrics.map(({ name }) => [name, null]));
  const items = answers.length;
  const width = answers[0]?.values.length ?? 0;
  if (width === 0 || answers.some(({ values, truth }) => truth === undefined || values.length !== width)) {
    return () => unknown;
  }
  const isUsable = Uint8Array.from(answers, ({ values }) => (values.every(Number.isFinite) ? 1 : 0));
  const columns = Array.from({ length: width }, (_, at) => readColumn(answers, at));
  return (weights) => {
    if (weights !== undefined) requireWeightForEach(items, weights);
    const total = weighFinite(isUsable, weights);
    if (total === undefined || total === 0) return unknown;
    let mae = 0;
    let rmse = 0;
    let r2 = 0;
    let mape = 0;
    for (const column of columns) {
      const sums = sumColumn(column, weights, total);
      mae += sums.absolute / total;
      rmse += Math.sqrt(sums.squares / total);
      r2 += determination(sums);
      mape += sums.relative / total;
    }
    const all: Figures = {
      mae: mae / width,
      rmse: rmse / width,
      r2: total < 2 ? null : r2 / width,
      mape: mape / width,
    };
    return Object.fromEntries(metrics.map(({ name }) => [name, all[name] ?? null]));
  };
}

/** One value of all items: its target, the output's absolute error, and that by |target|. */
interface Column {
  readonly targets: Float64Array;
  readonly errors: Float64Array;
  readonly relative: Float64Array;
}

/** scikit-learn divides by no less than this, so that a target of zero gives a large number and not infinity. */
const LEAST_TARGET = Number.EPSILON;

function readColumn(answers: readonly RegressionAnswer[], at: number): Column {
  const targets = Float64Array.from(answers, ({ truth }) => truth?.[at] as number);
  const errors = targets.map((target, i) => Math.abs((answers[i]?.values[at] as number) - target));
  const relative = errors.map((error, i) => error / Math.max(Math.abs(targets[i] as number), LEAST_TARGET));
  return { targets, errors, relative };
}

/** The sum of the weights, or undefined if an item that counts has no error. */
function weighFinite(isUsable: Uint8Array, weights: Weights): number | undefined {
  let total = 0;
  for (let i = 0; i < isUsable.length; i += 1) {
    const weight = weights === undefined ? 1 : (weights[i] as number);
    if (weight === 0) continue;
    if (isUsable[i] === 0) return undefined;
    total += weight;
  }
  return total;
}

interface ColumnSums {
  readonly absolute: number;
  readonly squares: number;
  readonly relative: number;
  /** Squared distances of the targets from their mean; exactly 0 if they are all the same. */
  readonly deviations: number;
}

function sumColumn(column: Column, weights: Weights, total: number): ColumnSums {
  const { targets, errors } = column;
  let absolute = 0;
  let squares = 0;
  let relative = 0;
  let targetSum = 0;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < targets.length; i += 1) {
    const weight = weights === undefined ? 1 : (weights[i] as number);
    if (weight === 0) continue;
    const target = targets[i] as number;
    const error = errors[i] as number;
    absolute += weight * error;
    squares += weight * error * error;
    relative += weight * (column.relative[i] as number);
    targetSum += weight * target;
    if (target < least) least = target;
    if (target > greatest) greatest = target;
  }
  // The mean of equal numbers may be off by a rounding, and R² would be divided by its square.
  if (least === greatest) return { absolute, squares, relative, deviations: 0 };
  const mean = targetSum / total;
  let deviations = 0;
  for (let i = 0; i < targets.length; i += 1) {
    const weight = weights === undefined ? 1 : (weights[i] as number);
    if (weight !== 0) deviations += weight * ((targets[i] as number) - mean) ** 2;
  }
  return { absolute, squares, relative, deviations };
}

/** 1 − squared errors / squared deviations, as `r2_score` with `force_finite`. */
function determination({ squares, deviations }: ColumnSums): number {
  if (squares === 0) return 1;
  return deviations === 0 ? 0 : 1 - squares / deviations;
}
