import { describe, expect, it } from 'vitest';
import {
  addBox,
  addCandidate,
  createCandidates,
} from '../../../../../src/evaluation/tasks/detection/candidates.ts';
import { mappingFrom, toDetections } from '../../../../../src/evaluation/tasks/detection/detections.ts';
import { LETTERBOX } from './letterbox.ts';

function found(...boxes: readonly (readonly [number, number, number, number])[]) {
  const candidates = createCandidates(0, true);
  boxes.forEach(([x1, y1, x2, y2], i) => {
    addCandidate(candidates, 1 - i / 4, i);
    addBox(candidates, x1, y1, x2, y2);
  });
  return candidates;
}

describe('toDetections', () => {
  it('maps boxes back to the original picture', () => {
    const detections = toDetections(
      found([10, 30, 20, 50]),
      Uint32Array.of(0),
      mappingFrom(LETTERBOX, undefined),
    );
    expect([...detections.boxes]).toEqual([20, 10, 20, 40]);
    expect([...detections.scores]).toEqual([1]);
    expect([...detections.labels]).toEqual([0]);
  });

  it('clips boxes to the original picture', () => {
    const mapping = mappingFrom(LETTERBOX, undefined);
    const { boxes } = toDetections(
      found([-10, 20, 120, 90], [Number.NEGATIVE_INFINITY, 30, Number.POSITIVE_INFINITY, 35]),
      Uint32Array.of(0, 1),
      mapping,
    );
    expect([...boxes]).toEqual([0, 0, 200, 100, 0, 10, 200, 10]);
  });

  it('drops boxes of which nothing is left', () => {
    const detections = toDetections(
      found([10, 0, 20, 25], [10, 30, 10, 40], [10, 40, 20, 30], [10, 30, 20, 50]),
      Uint32Array.of(0, 1, 2, 3),
      mappingFrom(LETTERBOX, undefined),
    );
    expect([...detections.labels]).toEqual([3]);
    expect(detections.boxes).toHaveLength(4);
  });

  it('leaves boxes in fed pixels without a geometry, clipped where their size is known', () => {
    const kept = Uint32Array.of(0);
    const box = found([-5, 10, 50, 20]);
    expect([...toDetections(box, kept, mappingFrom(undefined, undefined)).boxes]).toEqual([-5, 10, 55, 10]);
    expect([...toDetections(box, kept, mappingFrom(undefined, { width: 40, height: 40 })).boxes]).toEqual([
      0, 10, 40, 10,
    ]);
  });

  it('takes what is kept, in that order', () => {
    const detections = toDetections(
      found([0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]),
      Uint32Array.of(2, 0),
      mappingFrom(undefined, undefined),
    );
    expect([...detections.labels]).toEqual([2, 0]);
    expect([...detections.scores]).toEqual([0.5, 1]);
    expect([...detections.boxes]).toEqual([0, 0, 3, 3, 0, 0, 1, 1]);
  });
});
