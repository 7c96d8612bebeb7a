import { describe, expect, it } from 'vitest';
import type { DetrSettings } from '../../../../../../src/evaluation/tasks/detection/settings.ts';
import { floats, found, problemOf } from './decode-with.ts';

const FED = { width: 100, height: 200 };
const BOXES = floats([1, 2, 4], [0.5, 0.5, 0.2, 0.1, 0.25, 0.25, 0.5, 0.5]);
const DETR: DetrSettings = { head: 'detr' };

describe('the head detr', () => {
  it('takes the softmax, of which the last class is no object', () => {
    const logits = floats([1, 2, 3], [Math.log(6), Math.log(3), 0, 0, 0, 30]);
    const { boxes, scores, labels, classCount } = found(DETR, { logits, pred_boxes: BOXES }, FED);
    expect(boxes).toHaveLength(1);
    [40, 90, 60, 110].forEach((expected, i) => {
      expect(boxes[0]?.[i]).toBeCloseTo(expected, 4);
    });
    expect(scores[0]).toBeCloseTo(0.6, 6);
    expect({ labels, classCount }).toEqual({ labels: [0], classCount: 2 });
  });

  it('takes the sigmoid of every class when told so', () => {
    const logits = floats([1, 2, 2], [Math.log(3), 0, -9, -9]);
    const settings: DetrSettings = { head: 'detr', logits: 'a', boxes: 'b', activation: 'sigmoid' };
    const { scores, labels, classCount } = found(settings, { a: logits, b: BOXES }, FED);
    expect({ scores, labels, classCount }).toEqual({ scores: [0.75, 0.5], labels: [0, 1], classCount: 2 });
  });

  it('takes the softmax of logits whose exponentials are too large for a number', () => {
    const logits = floats([1, 2, 2], [1000, 0, -1000, 1000]);
    expect(found(DETR, { logits, pred_boxes: BOXES }, FED)).toMatchObject({ scores: [1], hasNaN: false });
  });

  it('suppresses nothing', () => {
    const logits = floats([1, 2, 2], [9, 0, 9, 0]);
    const pred_boxes = floats([1, 2, 4], [0.5, 0.5, 0.2, 0.1, 0.5, 0.5, 0.2, 0.1]);
    expect(found(DETR, { logits, pred_boxes }, FED).labels).toEqual([0, 0]);
  });

  it('finds nothing where a logit is not a number', () => {
    const logits = floats([1, 2, 2], [Number.NaN, 0, 0, 9]);
    expect(found(DETR, { logits, pred_boxes: BOXES }, FED)).toMatchObject({ boxes: [], hasNaN: true });
  });

  it.each([
    ['a class besides no object', { logits: floats([1, 2, 1], [0, 0]), pred_boxes: BOXES }, 'logits'],
    ['as many boxes as queries', { logits: floats([1, 1, 2], [0, 0]), pred_boxes: BOXES }, 'pred_boxes'],
  ])('wants %s', (_, tensors, tensor) => {
    expect(problemOf(DETR, tensors, FED)).toMatchObject({
      kind: 'output-shape-unexpected',
      place: { tensor },
    });
  });
});
