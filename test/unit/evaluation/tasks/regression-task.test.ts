import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import { createRegressionTask } from '../../../../src/evaluation/tasks/regression-task.ts';
import { answersOf, measure, OUTPUTS, tensor, vector } from './metric-cases.ts';

const task = createRegressionTask(OUTPUTS);
const UNKNOWN = { mae: null, rmse: null, r2: null };
const value = (y: number) => tensor([y]);

describe('createRegressionTask', () => {
  it('measures the errors of one value', () => {
    // Errors 0, 0, 3, −1; targets 0, 2, 4, 6 with the mean 3 and the squared deviations 20.
    const truths = [vector([0]), vector([2]), vector([4]), vector([6])];
    const figures = measure(task, [value(0), value(2), value(7), value(5)], truths);
    expect(figures).toEqual({ mae: 1, rmse: Math.sqrt(10 / 4), r2: 1 - 10 / 20 });
  });

  it('averages the figures of several values', () => {
    const outputs = [tensor([1, 10]), tensor([3, 30])];
    const figures = measure(task, outputs, [vector([1, 12]), vector([3, 24])]);
    expect(figures).toEqual({ mae: 2, rmse: Math.sqrt(20) / 2, r2: (1 + (1 - 40 / 72)) / 2 });
  });

  it('takes a class as the number that it has', () => {
    const truths: Truth[] = [
      { kind: 'class', index: 2 },
      { kind: 'class', index: 4 },
    ];
    expect(measure(task, [value(3), value(4)], truths)).toMatchObject({ mae: 0.5 });
  });

  it('gives R² 1 or 0 where all targets are equal, to the last digit, and none for one item', () => {
    // Three times 0.1 is not 0.3 in floating point, and neither is their mean 0.1.
    const truths = [vector([0.1]), vector([0.1]), vector([0.1])];
    expect(measure(task, [value(0.1), value(0.1), value(0.1)], truths)).toMatchObject({ r2: 1 });
    expect(measure(task, [value(0.1), value(0.1), value(0.2)], truths)).toMatchObject({ r2: 0 });
    expect(measure(task, [value(1)], [vector([2])])).toEqual({ mae: 1, rmse: 1, r2: null });
    expect(measure(task, [value(1)], [vector([2])], [2])).toEqual({ mae: 1, rmse: 1, r2: 0 });
  });

  it('measures the relative error if it is asked for', () => {
    const relative = createRegressionTask({ ...OUTPUTS, mape: true });
    expect(relative.metrics.map(({ name }) => name)).toEqual(['mae', 'rmse', 'r2', 'mape']);
    const figures = measure(relative, [value(11), value(-16)], [vector([10]), vector([-20])]);
    expect(figures['mape']).toBeCloseTo(0.15, 12);
    // A target of zero counts as the smallest step from 1, as in scikit-learn.
    expect(measure(relative, [value(1)], [vector([0])])['mape']).toBe(2 ** 52);
    expect(measure(relative, [value(11)])['mape']).toBeNull();
    expect(measure(task, [value(11)], [vector([10])])).not.toHaveProperty('mape');
  });

  it('has no figures where an error cannot be told, unless that item does not count', () => {
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const outputs = [value(1), value(broken)];
      const truths = [vector([2]), vector([3])];
      expect(measure(task, outputs, truths)).toEqual(UNKNOWN);
      expect(measure(task, outputs, truths, [1, 0])).toMatchObject({ mae: 1 });
    }
  });

  it('has no figures without items, without weight, and unless every item has a truth and as many values', () => {
    expect(measure(task, [])).toEqual(UNKNOWN);
    expect(measure(task, [value(1)], [vector([1])], [0])).toEqual(UNKNOWN);
    expect(measure(task, [value(1), value(1)], [vector([1]), undefined])).toEqual(UNKNOWN);
    expect(measure(task, [value(1), tensor([1, 2])], [vector([1]), vector([1, 2])])).toEqual(UNKNOWN);
  });

  it('finds two answers the same within the tolerance of each value', () => {
    const loose = createRegressionTask({ ...OUTPUTS, tolerance: 0.1 });
    const same = (reference: number[], candidate: number[]): boolean => {
      const [r, c] = answersOf(loose, [tensor(reference), tensor(candidate)]);
      return r !== undefined && c !== undefined && loose.same(r, c);
    };
    expect(same([10, -10], [11, -9])).toBe(true);
    expect(same([10, -10], [11.5, -10])).toBe(false);
    expect(same([0], [0])).toBe(true);
    expect(same([0], [1e-9])).toBe(false);
    expect(same([Number.NaN], [Number.NaN])).toBe(false);
    expect(same([1], [1, 1])).toBe(false);
    const [a, b, c] = answersOf(task, [value(1000), value(1000.9), value(1001.1)]);
    expect(a && b && task.same(a, b)).toBe(true);
    expect(a && c && task.same(a, c)).toBe(false);
  });

  it('shows the first values with four digits', () => {
    const [short, long] = answersOf(task, [tensor([1.23456, -2]), tensor([1, 2, 3, 4, 5])]);
    expect(short && task.show(short)).toBe('1.235, -2');
    expect(long && task.show(long)).toBe('1, 2, 3, 4, …');
  });

  it('keeps a copy of the output, which the runtime may write to again', () => {
    const data = Float32Array.of(1);
    const y = { type: 'float32', dims: [1], data } as const;
    const [answer] = answersOf(task, [y]);
    data[0] = 2;
    expect(answer?.values[0]).toBe(1);
  });

  it('refuses truths that are no numbers or not as many', () => {
    const truths: Truth[] = [vector([1, 2]), vector([Number.NaN]), { kind: 'text', text: '1' }];
    for (const truth of truths) {
      expect(task.answer({ y: value(1) }, { index: 2, truth })).toMatchObject({
        error: { kind: 'truth-unsuitable', place: { sample: 2 } },
      });
    }
  });

  it('refuses a tolerance that is no distance', () => {
    for (const tolerance of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const answer = createRegressionTask({ ...OUTPUTS, tolerance }).answer({ y: value(1) }, { index: 0 });
      expect(answer).toMatchObject({ error: { kind: 'task-settings-invalid' } });
    }
    expect(createRegressionTask({ ...OUTPUTS, tolerance: 0 }).answer({ y: value(1) }, { index: 0 }).ok).toBe(
      true,
    );
  });
});
