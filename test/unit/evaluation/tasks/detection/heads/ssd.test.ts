import { describe, expect, it } from 'vitest';
import type { SsdSettings } from '../../../../../../src/evaluation/tasks/detection/settings.ts';
import { floats, found, problemOf } from './decode-with.ts';

const FED = { width: 320, height: 240 };
const BOXES = floats([1, 2, 4], [0.25, 0.5, 0.5, 1, 0, 0, 0.1, 0.1]);
const SCORES = floats([1, 2, 3], [0.125, 0.5, 0.375, 1, 0, 0]);
const SSD: SsdSettings = { head: 'ssd' };

describe('the head ssd', () => {
  it('reads corners in shares of the fed picture and leaves the background out', () => {
    expect(found(SSD, { scores: SCORES, boxes: BOXES }, FED)).toEqual({
      boxes: [
        [80, 120, 160, 240],
        [80, 120, 160, 240],
      ],
      scores: [0.5, 0.375],
      labels: [0, 1],
      classCount: 2,
      hasNaN: false,
    });
  });

  it.each([
    ['last', [0, 0], [0.5, 1], 2],
    ['none', [0, 1, 2], [0.5, 0.375, 1], 3],
  ] as const)('finds the background where it is: %s', (background, _, __, classCount) => {
    const decoded = found({ ...SSD, background }, { scores: SCORES, boxes: BOXES }, FED);
    expect(decoded.classCount).toBe(classCount);
    expect(decoded.labels).toEqual(background === 'last' ? [1, 0] : [1, 2, 0]);
  });

  it('takes the softmax of logits when told so', () => {
    const logits = floats([1, 2, 3], [0, Math.log(2), Math.log(5), 20, 0, 0]);
    const { scores, labels } = found({ ...SSD, softmax: true }, { scores: logits, boxes: BOXES }, FED, 0.2);
    expect(labels).toEqual([0, 1]);
    expect(scores[0]).toBeCloseTo(2 / 8, 6);
    expect(scores[1]).toBeCloseTo(5 / 8, 6);
  });

  it('applies offsets to the priors', () => {
    const settings: SsdSettings = {
      head: 'ssd',
      scores: 'cls',
      boxes: 'loc',
      priors: [0.5, 0.5, 0.2, 0.4],
      variances: [0.1, 0.2],
    };
    const loc = floats([1, 1, 4], [5, -5, 5 * Math.log(2), -5 * Math.log(2)]);
    const { boxes } = found(settings, { cls: floats([1, 1, 2], [0, 1]), loc }, { width: 100, height: 100 });
    // Centre 0.5 + 5 · 0.1 · 0.2 = 0.6 and 0.5 − 5 · 0.1 · 0.4 = 0.3, size 0.4 and 0.2.
    [40, 20, 80, 40].forEach((expected, i) => {
      expect(boxes[0]?.[i]).toBeCloseTo(expected, 4);
    });
  });

  it('takes the usual variances where none are given', () => {
    const tensors = { scores: floats([1, 1, 2], [0, 1]), boxes: floats([1, 1, 4], [1, 2, 1, 2]) };
    const priors = [0.5, 0.5, 0.2, 0.4];
    expect(found({ ...SSD, priors }, tensors, FED)).toEqual(
      found({ ...SSD, priors, variances: [0.1, 0.2] }, tensors, FED),
    );
  });

  it('reads boxes with a further axis of 1', () => {
    const boxes = { ...BOXES, dims: [1, 2, 1, 4] };
    expect(found(SSD, { scores: SCORES, boxes }, FED).labels).toEqual([0, 1]);
  });

  it('finds nothing where a logit is not a number', () => {
    const logits = floats([1, 2, 3], [Number.NaN, 0, 9, 20, 0, 0]);
    expect(found({ ...SSD, softmax: true }, { scores: logits, boxes: BOXES }, FED)).toMatchObject({
      boxes: [],
      hasNaN: true,
    });
  });

  it.each([
    ['as many boxes as scores', { scores: SCORES, boxes: floats([1, 1, 4], [0, 0, 1, 1]) }, 'boxes'],
    ['four numbers a box', { scores: SCORES, boxes: floats([1, 2, 5], new Array(10).fill(0)) }, 'boxes'],
    ['a score for the background', { scores: floats([1, 2, 1], [0, 0]), boxes: BOXES }, 'scores'],
  ])('wants %s', (_, tensors, tensor) => {
    expect(problemOf(SSD, tensors, FED)).toMatchObject({
      kind: 'output-shape-unexpected',
      place: { tensor },
    });
  });

  it('wants one prior for each box', () => {
    const tensors = { scores: SCORES, boxes: BOXES };
    expect(problemOf({ ...SSD, priors: [0.5, 0.5, 1, 1] }, tensors, FED)).toMatchObject({
      kind: 'output-shape-unexpected',
      message:
        'the output "boxes" is [1, 2, 4], and the head ssd reads [1, N, 4] with N = 1, the number of priors',
    });
    expect(problemOf({ ...SSD, priors: [0.5, 0.5, 1] }, tensors, FED)).toMatchObject({
      kind: 'task-settings-invalid',
      place: { field: '/priors' },
    });
    expect(problemOf({ ...SSD, variances: [0.1, 0.2] }, tensors, FED)).toMatchObject({
      kind: 'task-settings-invalid',
      place: { field: '/priors' },
    });
  });

  it('names the output that the model has not', () => {
    expect(problemOf(SSD, { scores: SCORES, loc: BOXES }, FED)).toMatchObject({
      kind: 'output-missing',
      message: 'the model has no output "boxes"; its outputs are "scores", "loc"',
      place: { field: '/boxes' },
    });
  });
});
