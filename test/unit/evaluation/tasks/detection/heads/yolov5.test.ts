import { describe, expect, it } from 'vitest';
import { floats, found, problemOf } from './decode-with.ts';

const SETTINGS = { head: 'yolov5' } as const;

describe('the head yolov5', () => {
  it('reads centre, size, objectness and class scores, and multiplies the scores', () => {
    const output = floats([1, 2, 7], [20, 10, 8, 4, 0.5, 1, 0.5, 5, 5, 2, 2, 0.1, 1, 1]);
    expect(found(SETTINGS, { output })).toEqual({
      boxes: [
        [16, 8, 24, 12],
        [16, 8, 24, 12],
      ],
      scores: [0.5, 0.25],
      labels: [0, 1],
      classCount: 2,
      hasNaN: false,
    });
  });

  it('needs neither a batch axis nor a fed size', () => {
    expect(found(SETTINGS, { output: floats([1, 6], [20, 10, 8, 4, 1, 1]) }, 'unknown').boxes).toEqual([
      [16, 8, 24, 12],
    ]);
  });

  it('reads float16', () => {
    const halves = {
      type: 'float16',
      dims: [1, 1, 6],
      data: Uint16Array.of(...new Array(6).fill(0x3c00)),
    } as const;
    expect(found(SETTINGS, { output: halves }).boxes).toEqual([[0.5, 0.5, 1.5, 1.5]]);
  });

  it.each([
    ['objectness', [20, 10, 8, 4, Number.NaN, 1]],
    ['a class score', [20, 10, 8, 4, 1, Number.NaN]],
    ['the box', [20, Number.NaN, 8, 4, 1, 1]],
  ])('finds nothing where %s is not a number', (_, values) => {
    expect(found(SETTINGS, { output: floats([1, 1, 6], values) })).toMatchObject({ boxes: [], hasNaN: true });
  });

  it.each([
    ['fewer than six columns', [1, 6, 5]],
    ['more than one picture', [2, 3, 6]],
    ['no dimension', []],
  ])('says what it reads where an output has %s', (_, dims) => {
    const output = floats(dims, new Array(dims.reduce((a, b) => a * b, 1)).fill(0));
    expect(problemOf(SETTINGS, { output })).toMatchObject({
      kind: 'output-shape-unexpected',
      message: `the output "output" is [${dims.join(', ')}], and the head yolov5 reads [1, N, 5 + C] with centre, size, objectness and C class scores`,
      place: { tensor: 'output' },
    });
  });

  it('wants to be told which of several outputs it reads', () => {
    const output = floats([1, 1, 6], [20, 10, 8, 4, 1, 1]);
    expect(found({ ...SETTINGS, output: 'b' }, { a: floats([], [0]), b: output }).labels).toEqual([0]);
    expect(problemOf(SETTINGS, { a: output, b: output })).toMatchObject({
      kind: 'output-missing',
      message: 'the model has not just one output; its outputs are "a", "b"',
      place: { field: '/output' },
    });
    expect(problemOf({ ...SETTINGS, output: 'c' }, { a: output })).toMatchObject({
      kind: 'output-missing',
      message: 'the model has no output "c"; its outputs are "a"',
    });
  });

  it('does not read strings', () => {
    const output = { type: 'string', dims: [1, 1, 6], data: ['', '', '', '', '', ''] } as const;
    expect(problemOf(SETTINGS, { output })).toMatchObject({ kind: 'output-unsupported' });
  });
});
