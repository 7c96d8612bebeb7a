import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import { createClassificationTask } from '../../../../src/evaluation/tasks/classification-task.ts';
import { answersOf, measure, OUTPUTS, tensor } from './metric-cases.ts';

const task = createClassificationTask(OUTPUTS);
const label = (index: number): Truth => ({ kind: 'class', index });

describe('createClassificationTask', () => {
  it('counts right answers, and the mean of the recalls of the classes that occur', () => {
    const outputs = [tensor([3, 1, 0]), tensor([3, 1, 0]), tensor([3, 1, 0]), tensor([1, 3, 0])];
    const truths = [label(0), label(0), label(0), label(0)].with(2, label(1));
    // Class 0: two of three; class 1: none of one; class 2 does not occur.
    expect(measure(task, outputs, truths)).toEqual({ top1: 0.5, top5: null, balanced_accuracy: 1 / 3 });
  });

  it('tells the recall of each class', () => {
    const outputs = [tensor([0, 0, 3]), tensor([3, 1, 0]), tensor([1, 3, 0])];
    expect(task.perClass(answersOf(task, outputs, [label(2), label(0), label(0)]))).toEqual([
      { label: 0, n: 2, right: 1 },
      { label: 2, n: 1, right: 1 },
    ]);
    expect(task.perClass(answersOf(task, outputs))).toEqual([]);
  });

  it('measures top-5 from six classes on', () => {
    const outputs = [tensor([6, 5, 4, 3, 2, 1]), tensor([6, 5, 4, 3, 2, 1])];
    expect(measure(task, outputs, [label(4), label(5)])).toMatchObject({ top1: 0, top5: 0.5 });
    expect(measure(task, [tensor([5, 4, 3, 2, 1])], [label(4)])).toMatchObject({ top1: 0, top5: null });
  });

  it('counts each item as often as its weight says', () => {
    const answers = answersOf(task, [tensor([1, 0]), tensor([1, 0])], [label(0), label(1)]);
    const figures = task.measure(answers, answers);
    expect(figures([3, 1])).toMatchObject({ top1: 0.75, balanced_accuracy: 0.5 });
    expect(figures([3, 0])).toMatchObject({ top1: 1, balanced_accuracy: 1 });
  });

  it('has no figures without items, without weight, and unless every item has a truth', () => {
    const unknown = { top1: null, top5: null, balanced_accuracy: null };
    expect(measure(task, [])).toEqual(unknown);
    expect(measure(task, [tensor([1, 0])], [label(0)], [0])).toEqual(unknown);
    expect(measure(task, [tensor([1, 0]), tensor([1, 0])], [label(0), undefined])).toEqual(unknown);
  });

  it('takes NaN as a wrong answer, and two of them as no agreement', () => {
    const outputs = [tensor([Number.NaN, 1]), tensor([0, Number.NaN])];
    expect(measure(task, outputs, [label(1), label(0)])).toMatchObject({ top1: 0, balanced_accuracy: 0 });
    const [a, b] = answersOf(task, outputs);
    expect(a && b && task.same(a, b)).toBe(false);
    expect(a && task.show(a)).toBe('no class (NaN)');
  });

  it('finds two answers the same if they name one class', () => {
    const [a, b, c] = answersOf(task, [tensor([3, 1]), tensor([9, 8]), tensor([1, 3])]);
    expect(a && b && task.same(a, b)).toBe(true);
    expect(a && c && task.same(a, c)).toBe(false);
  });

  it('says whether an answer is right where that is known, and shows it by the name of its class', () => {
    const named = createClassificationTask({ ...OUTPUTS, classes: ['cat'] });
    const [right, wrong, unknown] = answersOf(
      named,
      [tensor([3, 1]), tensor([1, 3]), tensor([1, 3])],
      [label(0), label(0), undefined],
    );
    expect(right && named.isRight?.(right)).toBe(true);
    expect(wrong && named.isRight?.(wrong)).toBe(false);
    expect(unknown && named.isRight?.(unknown)).toBeUndefined();
    expect(right && named.show(right)).toBe('cat');
    expect(wrong && named.show(wrong)).toBe('class 1');
  });

  it('reads one score for each class, whichever axis they are on', () => {
    expect(task.answer({ y: tensor([1, 2], [1, 2, 1, 1]) }, { index: 0 })).toEqual({
      ok: true,
      value: { predicted: 1 },
    });
    for (const dims of [
      [2, 2],
      [1, 1],
    ]) {
      const y = tensor(new Array<number>((dims[0] ?? 0) * (dims[1] ?? 0)).fill(1), dims);
      expect(task.answer({ y }, { index: 4 })).toMatchObject({
        error: { kind: 'not-class-scores', place: { tensor: 'y', sample: 4 } },
      });
    }
  });

  it('refuses labels that the output cannot tell', () => {
    for (const index of [-1, 2, 0.5]) {
      expect(task.answer({ y: tensor([1, 2]) }, { index: 3, truth: label(index) })).toMatchObject({
        error: { kind: 'label-out-of-range', place: { tensor: 'y', sample: 3 } },
      });
    }
  });

  it('refuses truths of another kind, and models without the output', () => {
    const truth: Truth = { kind: 'classes', indices: [0] };
    expect(task.answer({ y: tensor([1, 2]) }, { index: 3, truth })).toMatchObject({
      error: { kind: 'truth-unsuitable', place: { sample: 3 } },
    });
    expect(task.answer({ z: tensor([1, 2]) }, { index: 3 })).toMatchObject({
      error: { kind: 'output-missing' },
    });
  });
});
