import { describe, expect, it } from 'vitest';
import type { YoloV3Settings } from '../../../../../../src/evaluation/tasks/detection/settings.ts';
import { floats, found, problemOf } from './decode-with.ts';

/** Logits of a grid of 2 × 3 cells with two anchors and one class: nothing anywhere. */
function emptyGrid(): number[] {
  return new Array(2 * 6 * 2 * 3).fill(-20);
}

/** Sets the six fields of an anchor at a cell. */
function setCell(values: number[], anchor: number, cell: number, fields: readonly number[]): void {
  fields.forEach((value, field) => {
    values[(anchor * 6 + field) * 6 + cell] = value;
  });
}

const LEVEL = {
  output: 'grid',
  stride: 8,
  anchors: [
    [10, 20],
    [30, 40],
  ],
} as const;
const SETTINGS: YoloV3Settings = { head: 'yolov3', levels: [LEVEL] };

describe('the head yolov3', () => {
  it('takes sigmoid for the centre and exp of the anchor for the size', () => {
    const values = emptyGrid();
    // Row 1, column 2 of the second anchor: sigmoid(0) = 0.5, e^0 = 1 and e^ln 2 = 2.
    setCell(values, 1, 5, [0, 0, 0, Math.log(2), 20, 20]);
    const { boxes, scores, labels, classCount } = found(SETTINGS, { grid: floats([1, 12, 2, 3], values) });
    const [box = []] = boxes;
    [20 - 15, 12 - 40, 20 + 15, 12 + 40].forEach((expected, i) => {
      expect(box[i]).toBeCloseTo(expected, 4);
    });
    expect(scores[0]).toBeCloseTo(1, 6);
    expect({ labels, classCount }).toEqual({ labels: [0], classCount: 1 });
  });

  it('multiplies the shares of objectness and class', () => {
    const values = emptyGrid();
    setCell(values, 0, 0, [0, 0, 0, 0, 0, Math.log(3)]);
    const { scores } = found(SETTINGS, { grid: floats([1, 12, 2, 3], values) });
    expect(scores[0]).toBeCloseTo(0.5 * 0.75, 6);
  });

  it('reads every level with its stride', () => {
    const near = emptyGrid();
    setCell(near, 0, 1, [0, 0, 0, 0, 9, 9]);
    const grid = floats([1, 12, 2, 3], near);
    const levels = [LEVEL, { ...LEVEL, output: 'coarse', stride: 16 }];
    const { boxes } = found({ head: 'yolov3', levels }, { grid, coarse: grid });
    expect(boxes).toEqual([
      [7, -6, 17, 14],
      [19, -2, 29, 18],
    ]);
  });

  it('finds nothing where objectness is not a number', () => {
    const values = emptyGrid();
    setCell(values, 0, 0, [0, 0, 0, 0, Number.NaN, 9]);
    expect(found(SETTINGS, { grid: floats([1, 12, 2, 3], values) })).toMatchObject({
      boxes: [],
      hasNaN: true,
    });
  });

  it.each([[[1, 13, 2, 3]], [[1, 10, 2, 3]], [[2, 12, 2, 3]], [[1, 12, 6]]])(
    'names the dimensions and what it reads: %j',
    (dims) => {
      const grid = floats(dims, new Array(dims.reduce((a, b) => a * b, 1)).fill(0));
      expect(problemOf(SETTINGS, { grid })).toMatchObject({
        kind: 'output-shape-unexpected',
        message: `the output "grid" is [${dims.join(', ')}], and the head yolov3 reads [1, A · (5 + C), H, W] with A = 2 anchors and C the number of classes`,
      });
    },
  );

  it('wants as many classes in every output', () => {
    const levels = [LEVEL, { ...LEVEL, output: 'other' }];
    const tensors = {
      grid: floats([1, 12, 2, 3], emptyGrid()),
      other: floats([1, 14, 1, 1], new Array(14).fill(0)),
    };
    expect(problemOf({ head: 'yolov3', levels }, tensors)).toMatchObject({
      kind: 'output-shape-unexpected',
      place: { tensor: 'other' },
    });
  });

  it.each([
    ['without levels', [], '/levels'],
    ['without anchors', [{ ...LEVEL, anchors: [] }], '/levels/0/anchors'],
    ['whose anchor has no height', [{ ...LEVEL, anchors: [[10]] }], '/levels/0/anchors'],
    ['whose anchor is negative', [LEVEL, { ...LEVEL, anchors: [[10, -1]] }], '/levels/1/anchors'],
    ['without a stride', [{ ...LEVEL, stride: 0 }], '/levels/0/stride'],
  ])('refuses settings %s', (_, levels, field) => {
    const settings = { head: 'yolov3', levels } as unknown as YoloV3Settings;
    const problem = problemOf(settings, { grid: floats([1, 12, 2, 3], emptyGrid()) });
    expect(problem).toMatchObject({ kind: 'task-settings-invalid', place: { field } });
  });

  it('names the level whose output the model has not', () => {
    expect(problemOf(SETTINGS, { other: floats([1], [0]) })).toMatchObject({
      kind: 'output-missing',
      place: { field: '/levels/0/output' },
    });
  });
});
