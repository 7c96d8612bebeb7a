import { describe, expect, it } from 'vitest';
import type { NanoDetSettings } from '../../../../../../src/evaluation/tasks/detection/settings.ts';
import { floats, found, problemOf } from './decode-with.ts';

const FED = { width: 24, height: 16 };
const SETTINGS: NanoDetSettings = { head: 'nanodet', levels: [{ scores: 'cls', boxes: 'dis', stride: 8 }] };

/** A distribution over 0 to 3 that is all at one distance. */
function at(distance: number): number[] {
  return [0, 1, 2, 3].map((bin) => (bin === distance ? 50 : 0));
}

/** A grid of 3 × 2 cells; only the last is an object, of the second class. */
function tensorsWith(score: number, sides: readonly number[]) {
  const cls = new Array<number>(6 * 2).fill(0);
  cls[11] = score;
  const dis = new Array<number>(6 * 16).fill(0);
  dis.splice(5 * 16, 16, ...sides);
  return { cls: floats([1, 6, 2], cls), dis: floats([1, 6, 16], dis) };
}

describe('the head nanodet', () => {
  const tensors = tensorsWith(0.5, [...at(1), ...at(2), ...at(0), ...at(3)]);

  it.each([
    ['pixels', 3.5],
    ['corner', 0],
    ['middle', 4],
  ] as const)('measures the sides from the point of the cell: %s', (centre, origin) => {
    const { boxes, scores, labels, classCount } = found({ ...SETTINGS, centre }, tensors, FED);
    const [x, y] = [16 + origin, 8 + origin];
    [x - 8, y - 16, x, y + 24].forEach((expected, i) => {
      expect(boxes[0]?.[i]).toBeCloseTo(expected, 6);
    });
    expect({ scores, labels, classCount }).toEqual({ scores: [0.5], labels: [1], classCount: 2 });
  });

  it('takes the middle of the pixels where nothing is said', () => {
    expect(found(SETTINGS, tensors, FED)).toEqual(found({ ...SETTINGS, centre: 'pixels' }, tensors, FED));
  });

  it('takes the mean of the distribution', () => {
    const even = [Math.log(3), 0, 0, 0];
    const { boxes } = found(
      { ...SETTINGS, centre: 'corner' },
      tensorsWith(1, [...even, ...even, ...even, ...even]),
      FED,
    );
    // (0 · 3 + 1 + 2 + 3) / 6 strides of 8 pixels.
    [8, 0, 24, 16].forEach((expected, i) => {
      expect(boxes[0]?.[i]).toBeCloseTo(expected, 6);
    });
  });

  it('takes the sigmoid of the scores when told so', () => {
    const logits = tensorsWith(Math.log(3), [...at(1), ...at(1), ...at(1), ...at(1)]);
    const { scores } = found({ ...SETTINGS, sigmoid: true }, logits, FED, 0.6);
    expect(scores).toEqual([0.75]);
  });

  it('finds nothing where a side is not a number', () => {
    const broken = tensorsWith(1, [Number.NaN, ...new Array(15).fill(0)]);
    expect(found(SETTINGS, broken, FED)).toMatchObject({ boxes: [], hasNaN: true });
  });

  it('says how many cells a stride gives', () => {
    expect(problemOf(SETTINGS, tensors, { width: 32, height: 16 })).toMatchObject({
      kind: 'output-shape-unexpected',
      message:
        'the output "cls" is [1, 6, 2], and the head nanodet reads [1, N, C] with N = 8 cells of stride 8 over 32 × 16 pixels',
    });
  });

  it.each([
    ['sides that are no distributions', { ...tensors, dis: floats([1, 6, 10], new Array(60).fill(0)) }],
    ['fewer sides than scores', { ...tensors, dis: floats([1, 5, 16], new Array(80).fill(0)) }],
  ])('refuses %s', (_, wrong) => {
    expect(problemOf(SETTINGS, wrong, FED)).toMatchObject({
      kind: 'output-shape-unexpected',
      place: { tensor: 'dis' },
    });
  });

  it('wants as many classes in every output', () => {
    const levels = [...SETTINGS.levels, { scores: 'cls3', boxes: 'dis', stride: 8 }];
    const wrong = { ...tensors, cls3: floats([1, 6, 3], new Array(18).fill(0)) };
    expect(problemOf({ head: 'nanodet', levels }, wrong, FED)).toMatchObject({
      kind: 'output-shape-unexpected',
      place: { tensor: 'cls3' },
    });
  });

  it('refuses settings without levels, and a level without its output', () => {
    expect(problemOf({ head: 'nanodet', levels: [] }, tensors, FED)).toMatchObject({
      kind: 'task-settings-invalid',
      place: { field: '/levels' },
    });
    const levels = [{ scores: 'cls', boxes: 'other', stride: 8 }];
    expect(problemOf({ head: 'nanodet', levels }, tensors, FED)).toMatchObject({
      kind: 'output-missing',
      place: { field: '/levels/0/boxes' },
    });
  });
});
