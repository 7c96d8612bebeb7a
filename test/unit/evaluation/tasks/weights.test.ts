import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import type { Task } from '../../../../src/evaluation/task.ts';
import { createBinaryOverTimeTask } from '../../../../src/evaluation/tasks/binary-over-time-task.ts';
import { createClassificationTask } from '../../../../src/evaluation/tasks/classification-task.ts';
import { createMultiLabelTask } from '../../../../src/evaluation/tasks/multi-label-task.ts';
import { createRegressionTask } from '../../../../src/evaluation/tasks/regression-task.ts';
import { createSegmentationTask } from '../../../../src/evaluation/tasks/segmentation-task.ts';
import { answersOf, OUTPUTS, tensor, vector } from './metric-cases.ts';
import { expectSameFigures } from './same-figures.ts';

interface Labelled {
  readonly output: Tensor;
  readonly truth: Truth;
}

const CELLS = 6;
const cells = (of: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
  fc.array(of, { minLength: CELLS, maxLength: CELLS });
const score = fc.constantFrom(0, 0.25, 0.5, 0.75, 1, Number.NaN);
const bit = fc.constantFrom(0, 1);

function labelled(output: fc.Arbitrary<Tensor>, truth: fc.Arbitrary<Truth>): fc.Arbitrary<Labelled> {
  return fc.record({ output, truth });
}

const scores = cells(score).map((values) => tensor(values));

describe('a weight', () => {
  it('counts as that many copies of the classified item', () => {
    const truth = fc.nat(CELLS - 1).map((index): Truth => ({ kind: 'class', index }));
    checkWeights(createClassificationTask(OUTPUTS), labelled(scores, truth));
  });

  it('counts as that many copies of the item of several classes', () => {
    const truth = cells(bit).map((values) => vector(values));
    checkWeights(createMultiLabelTask(OUTPUTS), labelled(scores, truth));
  });

  it('counts as that many copies of the recording', () => {
    const truth = cells(bit).map((values) => vector(values));
    checkWeights(createBinaryOverTimeTask(OUTPUTS), labelled(scores, truth));
  });

  it('counts as that many copies of the item of numbers', () => {
    const truth = cells(fc.integer({ min: -4, max: 4 })).map((values) => vector(values.map((v) => v / 10)));
    checkWeights(createRegressionTask({ ...OUTPUTS, mape: true }), labelled(scores, truth));
  });

  it('counts as that many copies of the picture', () => {
    const output = cells(fc.constantFrom(0, 1, 2, Number.NaN)).map((ids) => tensor(ids, [1, 2, 3]));
    const truth = cells(fc.constantFrom(0, 1, 3, 255)).map((values) => vector(values, [2, 3]));
    checkWeights(createSegmentationTask(OUTPUTS), labelled(output, truth));
  });
});

function checkWeights<A>(task: Task<A>, items: fc.Arbitrary<Labelled>): void {
  fc.assert(
    fc.property(fc.array(fc.tuple(items, fc.nat(3)), { maxLength: 12 }), (weighted) => {
      const answers = answersOf(
        task,
        weighted.map(([{ output }]) => output),
        weighted.map(([{ truth }]) => truth),
      );
      const weights = Uint32Array.from(weighted, ([, weight]) => weight);
      const copies = answers.flatMap((answer, i) => new Array<A>(weights[i] as number).fill(answer));
      expectSameFigures(task.measure(answers, answers)(weights), task.measure(copies, copies)(), weighted);
    }),
  );
}
