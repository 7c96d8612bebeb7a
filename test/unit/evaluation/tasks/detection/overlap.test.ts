import { describe, expect, it } from 'vitest';
import { overlap } from '../../../../../src/evaluation/tasks/detection/overlap.ts';

describe('overlap', () => {
  const boxes = Float32Array.of(0, 0, 1, 1, 10, 20, 4, 4);
  const truth = { x: 12, y: 20, width: 4, height: 4 };

  it('is the shared area over that of both', () => {
    expect(overlap(boxes, 1, truth, false)).toBe(8 / 24);
    expect(overlap(boxes, 1, { x: 10, y: 20, width: 4, height: 4 }, false)).toBe(1);
    expect(overlap(boxes, 1, { x: 11, y: 21, width: 2, height: 2 }, false)).toBe(4 / 16);
  });

  it('is the share of the detection that lies in a crowd', () => {
    expect(overlap(boxes, 1, { x: 12, y: 0, width: 400, height: 400 }, true)).toBe(0.5);
  });

  it.each([
    ['left', { ...truth, x: 2 }],
    ['right', { ...truth, x: 20 }],
    ['above', { ...truth, y: 2 }],
    ['below', { ...truth, y: 30 }],
    ['at the edge', { ...truth, x: 14 }],
    ['at the lower edge', { ...truth, y: 24 }],
  ])('is 0 of boxes apart: %s', (_, other) => {
    expect(overlap(boxes, 1, other, false)).toBe(0);
    expect(overlap(boxes, 1, other, true)).toBe(0);
  });
});
