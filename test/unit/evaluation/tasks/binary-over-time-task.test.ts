import { describe, expect, it } from 'vitest';
import type { Truth } from '../../../../src/core/item.ts';
import { createBinaryOverTimeTask } from '../../../../src/evaluation/tasks/binary-over-time-task.ts';
import { answersOf, measure, OUTPUTS, tensor, vector } from './metric-cases.ts';

const task = createBinaryOverTimeTask(OUTPUTS);
const label = (index: number): Truth => ({ kind: 'class', index });

describe('createBinaryOverTimeTask', () => {
  it('counts the decisions of items that are one frame each', () => {
    const outputs = [0.9, 0.5, 0.4, 0.1, 0.6].map((p) => tensor([p], [1, 1]));
    const truths = [1, 0, 1, 0, 1].map(label);
    expect(measure(task, outputs, truths)).toEqual({
      f1: 2 / 3,
      accuracy: 3 / 5,
      precision: 2 / 3,
      recall: 2 / 3,
      positive_share: 3 / 5,
    });
  });

  it('counts all frames alike, whatever item they belong to', () => {
    const outputs = [tensor([0.9, 0.9, 0.9]), tensor([0.1])];
    const truths = [vector([1, 1, 0]), label(1)];
    expect(measure(task, outputs, truths)).toMatchObject({ accuracy: 0.5, positive_share: 0.75 });
    // The frames of the second item count twice.
    expect(measure(task, outputs, truths, [1, 2])).toMatchObject({ accuracy: 2 / 5, positive_share: 3 / 5 });
  });

  it('gives 0 where there is neither a positive nor a decision for one', () => {
    expect(measure(task, [tensor([0.1, 0.2])], [vector([0, 0])])).toEqual({
      f1: 0,
      accuracy: 1,
      precision: 0,
      recall: 0,
      positive_share: 0,
    });
  });

  it('knows only the share of positive frames without truths, and nothing without frames', () => {
    const unknown = { f1: null, accuracy: null, precision: null, recall: null };
    expect(measure(task, [tensor([0.9]), tensor([0.1])], [label(1), undefined])).toEqual({
      ...unknown,
      positive_share: 0.5,
    });
    expect(measure(task, [])).toEqual({ ...unknown, positive_share: null });
    expect(measure(task, [tensor([0.9])], [label(1)], [0])).toEqual({ ...unknown, positive_share: null });
  });

  it('takes NaN as the wrong decision, and two of them as no agreement', () => {
    const broken = tensor([Number.NaN, Number.NaN]);
    expect(measure(task, [broken], [vector([0, 1])])).toMatchObject({
      accuracy: 0,
      f1: 0,
      recall: 0,
      positive_share: 0,
    });
    const [a, b] = answersOf(task, [broken, broken]);
    expect(a && b && task.same(a, b)).toBe(false);
  });

  it('finds two answers the same if all decisions are', () => {
    const [a, b, c, d] = answersOf(
      task,
      [[0.9, 0.1], [0.5, 0.4], [0.9, 0.6], [0.9]].map((scores) => tensor(scores)),
    );
    expect(a && b && task.same(a, b)).toBe(true);
    expect(a && c && task.same(a, c)).toBe(false);
    expect(a && d && task.same(a, d)).toBe(false);
  });

  it('shows one decision with its probability, and many by their number', () => {
    const [yes, no, many] = answersOf(task, [tensor([0.98765]), tensor([0.25]), tensor([0.9, 0.1, 0.8])]);
    expect(yes && task.show(yes)).toBe('yes (0.988)');
    expect(no && task.show(no)).toBe('no (0.25)');
    expect(many && task.show(many)).toBe('yes in 2 of 3 frames');
  });

  it('takes another threshold, and logits', () => {
    const strict = createBinaryOverTimeTask({ ...OUTPUTS, threshold: 0.95 });
    expect(measure(strict, [tensor([0.9, 0.96])])).toMatchObject({ positive_share: 0.5 });
    // Neither 0.7 nor 0.1 is a float32, and their nearest ones lie on different sides.
    for (const threshold of [0.7, 0.1]) {
      const exact = createBinaryOverTimeTask({ ...OUTPUTS, threshold });
      expect(measure(exact, [tensor([threshold])])).toMatchObject({ positive_share: 1 });
      expect(measure(exact, [tensor([threshold, threshold])])).toMatchObject({ positive_share: 1 });
    }
    const logits = createBinaryOverTimeTask({ ...OUTPUTS, activation: 'sigmoid' });
    expect(measure(logits, [tensor([0.4, -0.4])])).toMatchObject({ positive_share: 0.5 });
  });

  it('refuses truths that are not a 0 or 1 for each frame', () => {
    const truths: Truth[] = [label(2), vector([1, 0]), vector([0.5]), { kind: 'text', text: 'speech' }];
    for (const truth of truths) {
      expect(task.answer({ y: tensor([0.9]) }, { index: 6, truth })).toMatchObject({
        error: { kind: 'truth-unsuitable', place: { sample: 6 } },
      });
    }
  });

  it('says which setting makes no sense', () => {
    const invalid = createBinaryOverTimeTask({ ...OUTPUTS, threshold: 2, activation: 'sigmoid' });
    expect(invalid.answer({ y: tensor([0.9]) }, { index: 6 })).toMatchObject({
      error: { kind: 'task-settings-invalid' },
    });
  });
});
