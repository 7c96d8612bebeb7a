import { describe, expect, it } from 'vitest';
import type { ImageGeometry, Truth } from '../../../../src/core/item.ts';
import { createSegmentationTask } from '../../../../src/evaluation/tasks/segmentation-task.ts';
import { answersOf, measure, OUTPUTS, tensor, vector } from './metric-cases.ts';

const task = createSegmentationTask(OUTPUTS);
const ids = (...values: number[]) => tensor(values, [1, 2, 2]);
const mask = (...values: number[]): Truth => vector(values, [2, 2]);

describe('createSegmentationTask', () => {
  it('averages the overlap of the classes that occur in a truth or a prediction', () => {
    // Class 0: 1 of 2; class 1: 1 of 3; class 3: 0 of 1. Class 2 occurs nowhere.
    const figures = measure(task, [ids(0, 1, 1, 3)], [mask(0, 0, 1, 1)]);
    expect(figures['miou']).toBeCloseTo((1 / 2 + 1 / 3 + 0) / 3, 12);
    expect(figures['pixel_accuracy']).toBe(0.5);
  });

  it('counts the pixels of all pictures together', () => {
    const figures = measure(task, [ids(0, 0, 0, 0), ids(1, 1, 1, 1)], [mask(0, 0, 0, 0), mask(0, 0, 0, 1)]);
    expect(figures['miou']).toBeCloseTo((4 / 7 + 1 / 4) / 2, 12);
    expect(figures['pixel_accuracy']).toBe(5 / 8);
  });

  it('does not count what the truth ignores', () => {
    expect(measure(task, [ids(0, 1, 1, 1)], [mask(0, 1, 255, 255)])).toEqual({ miou: 1, pixel_accuracy: 1 });
    const other = createSegmentationTask({ ...OUTPUTS, ignore: 0 });
    expect(measure(other, [ids(0, 1, 1, 1)], [mask(0, 1, 2, 2)])).toEqual({
      miou: (1 / 3 + 0) / 2,
      pixel_accuracy: 1 / 3,
    });
    expect(measure(task, [ids(0, 1, 1, 1)], [mask(255, 255, 255, 255)])).toEqual({
      miou: null,
      pixel_accuracy: null,
    });
  });

  it('takes the class of the largest score, in both layouts', () => {
    const nchw = tensor([9, 0, 0, 5, 0, 9, 0, 5, 0, 0, 9, 0], [1, 3, 2, 2]);
    const nhwc = tensor([9, 0, 0, 0, 9, 0, 0, 0, 9, 5, 5, 0], [1, 2, 2, 3]);
    // The last pixel has two equal scores, of which the first counts.
    const truth = [mask(0, 1, 2, 0)];
    expect(measure(task, [nchw], truth)).toEqual({ miou: 1, pixel_accuracy: 1 });
    const last = createSegmentationTask({ ...OUTPUTS, layout: 'nhwc' });
    expect(measure(last, [nhwc], truth)).toEqual({ miou: 1, pixel_accuracy: 1 });
  });

  it('takes the scores of one channel as a foreground if there is a threshold', () => {
    const foreground = createSegmentationTask({ ...OUTPUTS, threshold: 0.5 });
    const y = tensor([0.9, 0.5, 0.4, 0.1], [1, 1, 2, 2]);
    expect(measure(foreground, [y], [mask(1, 1, 0, 0)])).toEqual({ miou: 1, pixel_accuracy: 1 });
    expect(task.answer({ y }, { index: 8 })).toMatchObject({
      error: { kind: 'output-unsupported', place: { tensor: 'y', sample: 8 } },
    });
  });

  it('takes a NaN as a wrong pixel', () => {
    const scores = tensor([9, 9, 9, 9, 0, Number.NaN, 0, 0], [1, 2, 2, 2]);
    expect(measure(task, [scores], [mask(0, 0, 0, 0)])).toEqual({ miou: 0.75, pixel_accuracy: 0.75 });
    expect(measure(task, [ids(0, 0, 0, Number.NaN)], [mask(0, 0, 0, 0)])).toEqual({
      miou: 0.75,
      pixel_accuracy: 0.75,
    });
    const [answer] = answersOf(task, [scores]);
    expect(answer && task.show(answer)).toBe('class 0 75.0 %, NaN 25.0 %');
  });

  it('brings a smaller prediction to the size of the truth', () => {
    const truth = vector([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3], [4, 4]);
    expect(measure(task, [ids(0, 1, 2, 3)], [truth])).toEqual({ miou: 1, pixel_accuracy: 1 });
    // Of three pixels on two the middle one lies on the border and takes the right one.
    expect(measure(task, [ids(0, 1, 0, 1)], [vector([0, 1, 1], [1, 3])])).toMatchObject({
      pixel_accuracy: 1,
    });
  });

  it('follows back how the picture was fed if the truth has the size of the original', () => {
    // The middle of a picture of 6 × 2 was fed, as it was: the columns 2 and 3.
    const geometry: ImageGeometry = {
      width: 6,
      height: 2,
      fedWidth: 2,
      fedHeight: 2,
      scale: [1, 1],
      offset: [-2, 0],
    };
    const truth = vector([9, 9, 0, 1, 9, 9, 9, 9, 2, 3, 9, 9], [2, 6]);
    const wide = createSegmentationTask(OUTPUTS).answer(
      { y: ids(0, 1, 2, 3) },
      { index: 0, truth, geometry },
    );
    expect(wide).toMatchObject({
      ok: true,
      value: { counts: { classes: Uint16Array.of(0, 1, 2, 3), intersection: Uint32Array.of(1, 1, 1, 1) } },
    });
    const fed = task.answer({ y: ids(0, 1, 2, 3) }, { index: 0, truth: mask(0, 1, 2, 3), geometry });
    expect(fed).toMatchObject({ value: { counts: { intersection: Uint32Array.of(1, 1, 1, 1) } } });
  });

  it('has no figures unless every item has a truth', () => {
    const unknown = { miou: null, pixel_accuracy: null };
    expect(measure(task, [])).toEqual(unknown);
    expect(measure(task, [ids(0, 0, 0, 0), ids(0, 0, 0, 0)], [mask(0, 0, 0, 0), undefined])).toEqual(unknown);
    expect(measure(task, [ids(0, 0, 0, 0)], [mask(0, 0, 0, 0)], [0])).toEqual(unknown);
  });

  it('finds two masks the same if enough pixels are equal', () => {
    const loose = createSegmentationTask({ ...OUTPUTS, minAgreement: 0.75 });
    const [a, b, c] = answersOf(loose, [ids(0, 1, 1, 3), ids(0, 1, 1, 2), ids(0, 1, 2, 2)]);
    expect(a && b && loose.same(a, b)).toBe(true);
    expect(a && c && loose.same(a, c)).toBe(false);
    expect(a && b && task.same(a, b)).toBe(false);
    expect(a && task.same(a, a)).toBe(true);
  });

  it('shows the most frequent classes', () => {
    const [answer] = answersOf(task, [ids(7, 7, 1, 7)]);
    expect(answer && task.show(answer)).toBe('class 7 75.0 %, class 1 25.0 %');
  });

  it('keeps class numbers above 255', () => {
    expect(measure(task, [ids(0, 3000, 3000, 1)], [mask(0, 3000, 3000, 0)])).toMatchObject({
      pixel_accuracy: 0.75,
    });
  });

  it('refuses truths that are no mask of class numbers', () => {
    const scores = tensor(new Array<number>(8).fill(0), [1, 2, 2, 2]);
    const answer = (truth: Truth) => task.answer({ y: scores }, { index: 9, truth });
    expect(answer(mask(0, 1, 2, 0))).toMatchObject({
      error: { kind: 'label-out-of-range', place: { tensor: 'y', sample: 9 } },
    });
    for (const truth of [
      mask(0, 0.5, 0, 0),
      mask(0, -1, 0, 0),
      vector([0, 0, 0, 0]),
      { kind: 'class', index: 0 } as const,
    ]) {
      expect(answer(truth)).toMatchObject({ error: { kind: 'truth-unsuitable', place: { sample: 9 } } });
    }
    expect(answer(vector([0, 1, 1, 0], [1, 2, 2])).ok).toBe(true);
  });

  it('refuses outputs that are no masks', () => {
    for (const dims of [[4], [2, 2], [4, 1, 1], [1, 1, 1, 2, 2], [1, 4]]) {
      expect(task.answer({ y: tensor([0, 0, 0, 0], dims) }, { index: 9 })).toMatchObject({
        error: { kind: 'output-shape-unexpected', place: { tensor: 'y', sample: 9 } },
      });
    }
    expect(task.answer({ y: tensor([], [1, 0, 2]) }, { index: 9 }).ok).toBe(false);
  });

  it('says which setting makes no sense', () => {
    for (const setting of [{ ignore: 0.5 }, { minAgreement: 1.1 }, { minAgreement: Number.NaN }]) {
      expect(
        createSegmentationTask({ ...OUTPUTS, ...setting }).answer({ y: ids(0, 0, 0, 0) }, { index: 9 }),
      ).toMatchObject({
        error: { kind: 'task-settings-invalid' },
      });
    }
  });
});
