import { describe, expect, it } from 'vitest';
import type { BoxesSettings } from '../../../../../../src/evaluation/tasks/detection/settings.ts';
import { floats, found, problemOf } from './decode-with.ts';

const FED = { width: 100, height: 200 };
const BOX = [10, 20, 30, 60];
const HEAD: BoxesSettings = { head: 'boxes' };

function tensors(box: readonly number[] = BOX) {
  return {
    boxes: floats([1, 2, 4], [...box, 0, 0, 0, 0]),
    scores: floats([1, 2], [0.5, 0]),
    labels: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(3n, 0n) },
  } as const;
}

describe('the head boxes', () => {
  it('reads boxes, scores and labels, and drops rows that only fill up', () => {
    expect(found(HEAD, tensors(), FED)).toEqual({
      boxes: [BOX],
      scores: [0.5],
      labels: [3],
      classCount: undefined,
      hasNaN: false,
    });
  });

  it.each([
    ['x1y1x2y2', [10, 20, 30, 60]],
    ['y1x1y2x2', [20, 10, 60, 30]],
    ['xywh', [10, 20, 20, 40]],
    ['cxcywh', [20, 40, 20, 40]],
  ] as const)('reads the format %s', (format, box) => {
    expect(found({ ...HEAD, format }, tensors(box), FED).boxes).toEqual([BOX]);
  });

  it.each([
    ['x1y1x2y2', [0.125, 0.25, 0.5, 0.5]],
    ['y1x1y2x2', [0.25, 0.125, 0.5, 0.5]],
    ['xywh', [0.125, 0.25, 0.375, 0.25]],
    ['cxcywh', [0.3125, 0.375, 0.375, 0.25]],
  ] as const)('reads shares of the fed picture in the format %s', (format, box) => {
    expect(found({ ...HEAD, format, unit: 'shares' }, tensors(box), FED).boxes).toEqual([
      [12.5, 50, 50, 100],
    ]);
  });

  it('needs the size of the fed picture for shares only', () => {
    expect(problemOf({ ...HEAD, unit: 'shares' }, tensors(), 'unknown')).toMatchObject({
      kind: 'task-settings-invalid',
      place: { field: '/input' },
    });
    expect(found(HEAD, tensors(), 'unknown').boxes).toEqual([BOX]);
  });

  it.each([
    [
      [1, 1, 6],
      [...BOX, 0.5, 3],
    ],
    [
      [1, 6],
      [...BOX, 0.5, 3],
    ],
    [
      [1, 7],
      [0, ...BOX, 3, 0.5],
    ],
  ])('reads one output %j', (dims, values) => {
    const decoded = found({ ...HEAD, output: 'out' }, { out: floats(dims, values) }, FED);
    expect(decoded).toMatchObject({ boxes: [BOX], scores: [0.5], labels: [3] });
  });

  it('reads an output without any rows', () => {
    expect(found({ ...HEAD, output: 'out' }, { out: floats([1, 0, 6], []) }, FED).boxes).toEqual([]);
  });

  it('counts labels from the first one', () => {
    expect(found({ ...HEAD, firstLabel: 1 }, tensors(), FED).labels).toEqual([2]);
    // What has no class is not found: the background.
    expect(found({ ...HEAD, firstLabel: 4 }, tensors(), FED).labels).toEqual([]);
  });

  it('reads only as many rows as the output for the count says', () => {
    const all = { ...tensors(), scores: floats([2], [0.5, 0.5]), count: floats([1], [1]) };
    expect(found(HEAD, all, FED).labels).toEqual([3, 0]);
    expect(found({ ...HEAD, count: 'count' }, all, FED).labels).toEqual([3]);
    expect(found({ ...HEAD, count: 'count' }, { ...all, count: floats([1, 1], [9]) }, FED).labels).toEqual([
      3, 0,
    ]);
    expect(problemOf({ ...HEAD, count: 'scores' }, all, FED)).toMatchObject({
      kind: 'output-shape-unexpected',
      place: { tensor: 'scores' },
    });
  });

  it('does not find what is not a number', () => {
    const broken = { ...tensors([Number.NaN, 20, 30, 60]) };
    expect(found(HEAD, broken, FED)).toMatchObject({ boxes: [], hasNaN: true });
    const unscored = { ...tensors(), scores: floats([1, 2], [Number.NaN, 0]) };
    expect(found(HEAD, unscored, FED)).toMatchObject({ boxes: [], hasNaN: true });
  });

  it.each([
    ['four numbers a box', { ...tensors(), boxes: floats([1, 2, 5], new Array(10).fill(0)) }, 'boxes'],
    ['a score a box', { ...tensors(), scores: floats([1, 3], [0, 0, 0]) }, 'scores'],
    ['a label a box', { ...tensors(), labels: floats([1], [0]) }, 'labels'],
  ])('wants %s', (_, wrong, tensor) => {
    expect(problemOf(HEAD, wrong, FED)).toMatchObject({ kind: 'output-shape-unexpected', place: { tensor } });
  });

  it('says what rows it reads', () => {
    expect(
      problemOf({ ...HEAD, output: 'out' }, { out: floats([1, 2, 5], new Array(10).fill(0)) }, FED),
    ).toMatchObject({
      message:
        'the output "out" is [1, 2, 5], and the head boxes reads [1, N, 6] with x1, y1, x2, y2, score, class or [N, 7] with batch, x1, y1, x2, y2, class, score',
    });
  });
});
