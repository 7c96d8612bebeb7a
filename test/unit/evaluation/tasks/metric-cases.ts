import type { Truth } from '../../../../src/core/item.ts';
import { elementCount, type Tensor } from '../../../../src/core/tensor.ts';
import type { Figures, Task, Weights } from '../../../../src/evaluation/task.ts';
import { createBinaryOverTimeTask } from '../../../../src/evaluation/tasks/binary-over-time-task.ts';
import { createClassificationTask } from '../../../../src/evaluation/tasks/classification-task.ts';
import { createEmbeddingTask } from '../../../../src/evaluation/tasks/embedding-task.ts';
import { klDivergence } from '../../../../src/evaluation/tasks/kl-divergence.ts';
import { createMultiLabelTask } from '../../../../src/evaluation/tasks/multi-label-task.ts';
import { createRegressionTask } from '../../../../src/evaluation/tasks/regression-task.ts';
import { createSegmentationTask } from '../../../../src/evaluation/tasks/segmentation-task.ts';
import { unwrap } from '../../../support/unwrap.ts';

type Rows = readonly (readonly number[])[];

/** What test/fixtures/metrics/make.py computes figures of. */
export type MetricCase = { readonly weights?: readonly number[] | null } & (
  | { readonly task: 'classification'; readonly scores: Rows; readonly truth: readonly number[] }
  | {
      readonly task: 'multi-label' | 'binary-over-time';
      readonly scores: Rows;
      readonly truth: Rows;
      readonly threshold: number;
    }
  | { readonly task: 'regression'; readonly values: Rows; readonly truth: Rows }
  | {
      readonly task: 'segmentation';
      readonly predicted: readonly Rows[];
      readonly truth: readonly Rows[];
      readonly ignore: number;
    }
  | { readonly task: 'embedding'; readonly reference: Rows; readonly candidate: Rows; readonly k: number }
  | {
      readonly task: 'kl-divergence';
      readonly reference: readonly number[];
      readonly candidate: readonly number[];
      readonly logits: boolean;
    }
);

/** The figures of a case as the tasks compute them from outputs and truths. */
export function figuresOf(metricCase: MetricCase): Figures {
  const weights = metricCase.weights ?? undefined;
  switch (metricCase.task) {
    case 'classification':
      return measure(
        createClassificationTask(OUTPUTS),
        metricCase.scores.map((scores) => tensor(scores)),
        metricCase.truth.map((index) => ({ kind: 'class', index })),
        weights,
      );
    case 'multi-label':
      return measure(
        createMultiLabelTask({ ...OUTPUTS, threshold: metricCase.threshold }),
        metricCase.scores.map((scores) => tensor(scores)),
        metricCase.truth.map((values) => vector(values)),
        weights,
      );
    case 'binary-over-time':
      return measure(
        createBinaryOverTimeTask({ ...OUTPUTS, threshold: metricCase.threshold }),
        metricCase.scores.map((scores) => tensor(scores)),
        metricCase.truth.map((values) => vector(values)),
        weights,
      );
    case 'regression':
      return measure(
        createRegressionTask({ ...OUTPUTS, mape: true }),
        metricCase.values.map((values) => tensor(values)),
        metricCase.truth.map((values) => vector(values)),
        weights,
      );
    case 'segmentation':
      return measure(
        createSegmentationTask({ ...OUTPUTS, ignore: metricCase.ignore }),
        metricCase.predicted.map((mask) => tensor(mask.flat(), [1, ...sizeOf(mask)])),
        metricCase.truth.map((mask) => vector(mask.flat(), sizeOf(mask))),
        weights,
      );
    case 'embedding': {
      const task = createEmbeddingTask({ ...OUTPUTS, k: metricCase.k });
      const reference = answersOf(
        task,
        metricCase.reference.map((values) => tensor(values)),
      );
      const candidate = answersOf(
        task,
        metricCase.candidate.map((values) => tensor(values)),
      );
      return task.measure(candidate, reference)(weights);
    }
    case 'kl-divergence':
      return { kl: klDivergence(metricCase.reference, metricCase.candidate) };
  }
}

export const OUTPUTS = { outputs: ['y'] } as const;

/** An output of a model for one item. */
export function tensor(values: readonly number[], dims: readonly number[] = [1, values.length]): Tensor {
  if (elementCount(dims) !== values.length) throw new RangeError(`${values.length} values for [${dims}]`);
  return { type: 'float64', dims, data: Float64Array.from(values) };
}

export function vector(values: readonly number[], dims: readonly number[] = [values.length]): Truth {
  return { kind: 'tensor', dims, values };
}

/** The answers to a list of items, which have no truth where there are none. */
export function answersOf<A>(
  task: Task<A>,
  outputs: readonly Tensor[],
  truths?: readonly (Truth | undefined)[],
): readonly A[] {
  return outputs.map((y, index) => {
    const truth = truths?.[index];
    return unwrap(task.answer({ y }, { index, ...(truth === undefined ? {} : { truth }) }));
  });
}

/** The figures of a list of items. */
export function measure<A>(
  task: Task<A>,
  outputs: readonly Tensor[],
  truths?: readonly (Truth | undefined)[],
  weights?: Weights,
): Figures {
  const answers = answersOf(task, outputs, truths);
  return task.measure(answers, answers)(weights);
}

function sizeOf(mask: Rows): readonly number[] {
  return [mask.length, mask[0]?.length ?? 0];
}
