import { describe, expect, it } from 'vitest';
import { floats, found, problemOf } from './decode-with.ts';

// Two classes, seven boxes in columns: the second and the last reach the threshold.
const COLUMNS = [
  [1, 20, 1, 1, 1, 1, 30],
  [1, 10, 1, 1, 1, 1, 20],
  [1, 8, 1, 1, 1, 1, 2],
  [1, 4, 1, 1, 1, 1, 2],
  [0, 0.5, 0, 0, 0, 0, 0],
  [0, 0.75, 0, 0, 0, 0.125, 1],
];
const ROWS = (COLUMNS[0] ?? []).flatMap((_, box) => COLUMNS.map((field) => field[box] as number));
const EXPECTED = {
  boxes: [
    [16, 8, 24, 12],
    [16, 8, 24, 12],
    [29, 19, 31, 21],
  ],
  scores: [0.5, 0.75, 1],
  labels: [0, 1, 1],
  classCount: 2,
  hasNaN: false,
};

describe('the head yolov8', () => {
  it('reads boxes in columns', () => {
    expect(found({ head: 'yolov8' }, { output: floats([1, 6, 7], COLUMNS.flat()) })).toEqual(EXPECTED);
  });

  it('reads boxes in rows when told so', () => {
    const output = floats([1, 7, 6], ROWS);
    expect(found({ head: 'yolov8', transposed: true }, { output })).toEqual(EXPECTED);
  });

  it('asks which it is where there are more rows than columns', () => {
    const problem = problemOf({ head: 'yolov8' }, { output: floats([1, 7, 6], ROWS) });
    expect(problem).toMatchObject({
      kind: 'output-shape-unexpected',
      message: 'the output "output" is [1, 7, 6], and the head yolov8 reads [1, 4 + C, N]',
      place: { tensor: 'output' },
    });
    expect(problem.hint).toContain('set transposed to true');
  });

  it('reads a model of more classes than boxes when told that it is not transposed', () => {
    const output = floats([1, 6, 1], [20, 10, 8, 4, 0.5, 0.75]);
    expect(found({ head: 'yolov8', transposed: false }, { output }).labels).toEqual([0, 1]);
  });

  it.each([[[1, 4, 7]], [[2, 6, 7]], [[7]], [[1, 1, 6, 7]]])('does not read %j', (dims) => {
    const output = floats(dims, new Array(dims.reduce((a, b) => a * b, 1)).fill(0));
    expect(problemOf({ head: 'yolov8' }, { output }).kind).toBe('output-shape-unexpected');
  });
});
