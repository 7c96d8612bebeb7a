import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import { createMultiLabelTask } from '../../../../src/evaluation/tasks/multi-label-task.ts';
import { answersOf, measure, OUTPUTS, tensor, vector } from './metric-cases.ts';

const task = createMultiLabelTask(OUTPUTS);
const labels = (...indices: number[]): Truth => ({ kind: 'classes', indices });

describe('createMultiLabelTask', () => {
  it('counts yes from the threshold on, by class and over all', () => {
    const outputs = [tensor([0.5, 0.4, 0.1]), tensor([0.9, 0.6, 0.1])];
    // First item right; second item: class 1 found and not true.
    expect(measure(task, outputs, [labels(0), labels(0)])).toEqual({
      f1_micro: 4 / 5,
      f1_macro: 1 / 3,
      subset_accuracy: 0.5,
      hamming_loss: 1 / 6,
      map_macro: 1 / 3,
    });
  });

  it('takes truths as a list of classes or as one 0 or 1 for each', () => {
    const y = tensor([0.9, 0.1, 0.9]);
    const [a, b] = answersOf(task, [y, y], [labels(2, 0), vector([1, 0, 1])]);
    expect(a?.truth).toEqual(Uint8Array.of(1, 0, 1));
    expect(b).toEqual(a);
  });

  it('turns the threshold back by the sigmoid where the output holds logits', () => {
    const sigmoid = createMultiLabelTask({ ...OUTPUTS, activation: 'sigmoid', threshold: 0.75 });
    const [answer] = answersOf(sigmoid, [tensor([Math.log(3) + 0.01, Math.log(3) - 0.01])]);
    expect(answer && sigmoid.show(answer)).toBe('classes 0');
    const half = createMultiLabelTask({ ...OUTPUTS, activation: 'sigmoid' });
    const [both] = answersOf(half, [tensor([0, -0.01])]);
    expect(both && half.show(both)).toBe('classes 0');
  });

  it('finds two answers the same if all decisions are', () => {
    const [a, b, c, d] = answersOf(
      task,
      [
        [0.9, 0.1],
        [0.6, 0.4],
        [0.6, 0.6],
        [0.9, 0.1, 0.1],
      ].map((scores) => tensor(scores)),
    );
    expect(a && b && task.same(a, b)).toBe(true);
    expect(a && c && task.same(a, c)).toBe(false);
    expect(a && d && task.same(a, d)).toBe(false);
  });

  it('takes a NaN as the decision and the rank that are most wrong', () => {
    const y = tensor([Number.NaN, Number.NaN]);
    const other = tensor([0.9, 0.1]);
    // Class 0: the positive that is NaN ranks last of two. Class 1: the negative that is NaN ranks first.
    expect(measure(task, [y, other], [labels(0), labels(1)])).toMatchObject({
      f1_micro: 0,
      subset_accuracy: 0,
      hamming_loss: 1,
      map_macro: 0.5,
    });
    const [a, b] = answersOf(task, [y, y]);
    expect(a && b && task.same(a, b)).toBe(false);
    expect(a && task.show(a)).toBe('NaN');
  });

  it('has no figures without items, without weight, and unless every item has a truth and as many scores', () => {
    const unknown = {
      f1_micro: null,
      f1_macro: null,
      subset_accuracy: null,
      hamming_loss: null,
      map_macro: null,
    };
    const y = tensor([0.9, 0.1]);
    expect(measure(task, [])).toEqual(unknown);
    expect(measure(task, [y], [labels(0)], [0])).toEqual(unknown);
    expect(measure(task, [y, y], [labels(0), undefined])).toEqual(unknown);
    expect(measure(task, [y, tensor([0.9])], [labels(0), labels(0)])).toEqual(unknown);
  });

  it('refuses truths that do not fit the output', () => {
    const answer = (truth: Truth) => task.answer({ y: tensor([0.9, 0.1]) }, { index: 5, truth });
    expect(answer(labels(0, 2))).toMatchObject({
      error: { kind: 'label-out-of-range', place: { tensor: 'y', sample: 5 } },
    });
    for (const truth of [vector([1]), vector([1, 0.5]), { kind: 'class', index: 0 } as const]) {
      expect(answer(truth)).toMatchObject({ error: { kind: 'truth-unsuitable', place: { sample: 5 } } });
    }
  });

  it('refuses outputs that are no list of scores', () => {
    expect(task.answer({ y: tensor([1, 2, 3, 4], [2, 2]) }, { index: 5 })).toMatchObject({
      error: { kind: 'not-class-scores' },
    });
    expect(task.answer({ y: tensor([], [1, 0]) }, { index: 5 })).toMatchObject({
      error: { kind: 'not-class-scores' },
    });
  });

  it('says which setting makes no sense', () => {
    const settings = [
      { threshold: Number.NaN },
      { threshold: 1, activation: 'sigmoid' },
      { threshold: 0, activation: 'sigmoid' },
    ] as const;
    for (const setting of settings) {
      const answer = createMultiLabelTask({ ...OUTPUTS, ...setting }).answer(
        { y: tensor([1]) },
        { index: 0 },
      );
      expect(answer).toMatchObject({ error: { kind: 'task-settings-invalid' } });
    }
    expect(
      createMultiLabelTask({ ...OUTPUTS, threshold: 1 }).answer({ y: tensor([1]) }, { index: 0 }).ok,
    ).toBe(true);
  });
});
