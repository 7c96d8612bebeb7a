import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TruthBox } from '../../../../../../src/core/item.ts';
import { averagePrecision } from '../../../../../../src/evaluation/tasks/detection/coco/average-precision.ts';
import {
  COCO_PARAMETERS,
  HALF_OVERLAP,
} from '../../../../../../src/evaluation/tasks/detection/coco/parameters.ts';
import { measureDetections } from '../../../../../../src/evaluation/tasks/detection/measure-detections.ts';
import { answerOf, type FoundRow, type Picture, randomPictures } from '../random-pictures.ts';

function truth(x: number, more: Partial<TruthBox> = {}): TruthBox {
  const box = { category: 0, x, y: 0, width: 10, height: 10, isCrowd: false, ...more };
  return { area: box.width * box.height, ...box };
}

function found(x: number, score: number, width = 10, label = 0): FoundRow {
  return [x, 0, width, 10, score, label];
}

function figuresAtHalf(...pictures: readonly { truths: readonly TruthBox[]; found: readonly FoundRow[] }[]) {
  const items = pictures.map(({ truths, found: rows }) => ({
    truths,
    found: answerOf({ truths, found: rows }).found,
  }));
  const [figures] = averagePrecision(items, HALF_OVERLAP)();
  return {
    classes: figures?.classes,
    precision: figures?.precision[0] as number,
    recall: figures?.recall[0] as number,
  };
}

describe('average precision', () => {
  it('is 1 when everything is found and nothing else', () => {
    const all = figuresAtHalf({ truths: [truth(0), truth(20)], found: [found(0, 0.9), found(20, 0.8)] });
    expect(all.classes).toBe(1);
    expect(all.recall).toBe(1);
    expect(all.precision).toBeCloseTo(1, 12);
  });

  it('is never more than 1', () => {
    expect(figuresAtHalf({ truths: [truth(0)], found: [found(0, 0.9)] }).precision).toBeLessThanOrEqual(1);
  });

  it('compares recalls with 0, 0.01, … as NumPy has them', () => {
    const truths = Array.from({ length: 100 }, (_, i) => truth(20 * i));
    for (let count = 0; count <= 100; count += 1) {
      const rows = Array.from({ length: count }, (_, i) => found(20 * i, 0.5));
      const reached = Array.from({ length: 101 }, (_, i) => i * 0.01).filter(
        (recall) => recall <= count / 100,
      );
      const expected = count === 0 ? 0 : reached.length / 101;
      expect(figuresAtHalf({ truths, found: rows }).precision).toBeCloseTo(expected, 12);
    }
  });

  it('counts a wrong detection only against recalls that are reached after it', () => {
    const { precision } = figuresAtHalf({
      truths: [truth(0), truth(20)],
      found: [found(0, 0.9), found(50, 0.85), found(20, 0.8)],
    });
    // Recalls 0 to 0.5 at a precision of 1, the 50 others at 2 of 3.
    expect(precision).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
  });

  it('takes the best precision at this recall or a higher one', () => {
    const { precision } = figuresAtHalf({
      truths: [truth(0), truth(20)],
      found: [found(50, 0.95), found(0, 0.9), found(20, 0.8)],
    });
    expect(precision).toBeCloseTo(2 / 3, 12);
  });

  it('counts what is not found as a precision of 0 at the recalls that are missed', () => {
    const half = figuresAtHalf({ truths: [truth(0), truth(20)], found: [found(0, 0.9)] });
    expect(half.precision).toBeCloseTo(51 / 101, 12);
    expect(half.recall).toBe(0.5);
  });

  it('counts an object that is found twice as wrong the second time', () => {
    const { precision } = figuresAtHalf({
      truths: [truth(0), truth(20)],
      found: [found(0, 0.9), found(1, 0.85), found(20, 0.8)],
    });
    expect(precision).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
  });

  it('counts an overlap of just the threshold', () => {
    expect(figuresAtHalf({ truths: [truth(0)], found: [found(0, 0.9, 5)] }).recall).toBe(1);
    expect(figuresAtHalf({ truths: [truth(0)], found: [found(0, 0.9, 4.75)] }).recall).toBe(0);
  });

  it('leaves what is found in a crowd out, as often as it is', () => {
    const crowd = truth(100, { width: 100, isCrowd: true });
    const { precision, recall } = figuresAtHalf({
      truths: [truth(0), crowd],
      found: [found(120, 0.99), found(150, 0.98), found(120, 0.97), found(0, 0.9)],
    });
    expect(precision).toBeCloseTo(1, 12);
    expect(recall).toBe(1);
  });

  it('takes an object rather than the crowd around it', () => {
    const crowd = truth(0, { width: 100, isCrowd: true });
    expect(figuresAtHalf({ truths: [crowd, truth(0)], found: [found(1, 0.9)] }).recall).toBe(1);
  });

  it('is the mean over the classes with something to find', () => {
    const { classes, precision } = figuresAtHalf({
      truths: [truth(0), truth(20, { category: 1 }), truth(60, { category: 3, isCrowd: true })],
      found: [found(0, 0.9), found(40, 0.9, 10, 2)],
    });
    expect(classes).toBe(2);
    expect(precision).toBeCloseTo(0.5, 12);
  });

  it('counts what is found in pictures with nothing to find', () => {
    const { precision } = figuresAtHalf(
      { truths: [], found: [found(0, 0.95)] },
      { truths: [truth(0)], found: [found(0, 0.9)] },
    );
    expect(precision).toBeCloseTo(0.5, 12);
  });

  it('lets only the best hundred of a class in a picture count', () => {
    const wrong = Array.from({ length: 100 }, () => found(50, 0.9));
    expect(figuresAtHalf({ truths: [truth(0)], found: [...wrong, found(0, 0.5)] }).recall).toBe(0);
    expect(figuresAtHalf({ truths: [truth(0)], found: [...wrong.slice(1), found(0, 0.5)] }).recall).toBe(1);
  });

  it('counts a wrong detection of a size at a border for both ranges', () => {
    const wrong: FoundRow = [500, 0, 32, 32, 0.9, 0];
    const truths = [truth(0), truth(100, { width: 40, height: 40 })];
    const answer = answerOf({ truths, found: [wrong, found(0, 0.8), [100, 0, 40, 40, 0.7, 0]] });
    const figures = measureDetections([answer], [answer], 0.3)();
    expect(figures['map_small']).toBeCloseTo(0.5, 12);
    expect(figures['map_medium']).toBeCloseTo(0.5, 12);
  });

  it('sorts objects by their area and leaves those of other sizes out', () => {
    const large = truth(100, { width: 100, height: 100, area: 9999 });
    const answer = answerOf({ truths: [truth(0), large], found: [[100, 0, 100, 100, 0.9, 0]] });
    const figures = measureDetections([answer], [answer], 0.3)();
    expect(figures).toMatchObject({ map_small: 0, map_medium: null });
    expect(figures['map_large']).toBeCloseTo(1, 12);
  });
});

describe('weights', () => {
  const pictures = randomPictures(7, {
    pictures: 12,
    classes: 2,
    levels: 4,
    mostTruths: 5,
    mostFound: 20,
    mostCount: 3,
  });
  const answers = pictures.map(answerOf);

  it('are worth as many copies of the picture, ties within it among them', () => {
    const weights = pictures.map(({ count }) => count);
    const copies = pictures.flatMap((picture) =>
      Array.from({ length: picture.count }, () => answerOf(picture)),
    );
    expect(copies.length).not.toBe(answers.length);
    const measure = measureDetections(answers, answers, 0.3);
    expect(measure(weights)).toEqual(measureDetections(copies, copies, 0.3)());
    expect(measure(Uint8Array.from(weights))).toEqual(measure(weights));
  });

  it('count copies of ties in the order of the pictures', () => {
    // Right and wrong at the same score, twice: right, wrong, right, wrong.
    const answer = answerOf({ truths: [truth(0)], found: [found(0, 0.5), found(50, 0.5)] });
    const { precision } = (averagePrecision(
      [{ found: answer.found, truths: [truth(0)] }],
      HALF_OVERLAP,
    )([2])[0] ?? {}) as { precision: Float64Array };
    expect(precision[0]).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
  });

  it('leave nothing behind for the next call', () => {
    const measure = measureDetections(answers, answers, 0.3);
    const before = measure();
    measure(answers.map((_, i) => i % 3));
    expect(measure()).toEqual(before);
    expect(measure(answers.map(() => 1))).toEqual(before);
  });

  it('of nothing but zeros give no figures', () => {
    const figures = measureDetections(answers, answers, 0.3)(answers.map(() => 0));
    expect(Object.values(figures).every((value) => value === null)).toBe(true);
  });

  it('take the classes of pictures that do not count out of the mean', () => {
    const first = answerOf({ truths: [truth(0)], found: [found(0, 0.9)] });
    const second = answerOf({ truths: [truth(0, { category: 1 })], found: [] });
    const measure = measureDetections([first, second], [first, second], 0.3);
    expect(measure()['map_50']).toBeCloseTo(0.5, 12);
    expect(measure([1, 0])['map_50']).toBeCloseTo(1, 12);
  });
});

describe('what pycocotools computed', () => {
  const cases = JSON.parse(
    readFileSync(new URL('../../../../../fixtures/detection/coco.json', import.meta.url), 'utf8'),
  ) as readonly { readonly pictures: readonly Picture[]; readonly figures: Record<string, number | null> }[];

  it.each(cases.map((one, i) => ({ i, ...one })))(
    'is computed here too: data set $i',
    ({ pictures, figures }) => {
      const answers = pictures.map(answerOf);
      const ours = measureDetections(answers, answers, 0.3)(pictures.map(({ count }) => count));
      expect(Object.keys(figures)).toHaveLength(7);
      for (const [name, expected] of Object.entries(figures)) {
        if (expected === null) expect(ours[name]).toBeNull();
        else expect(Math.abs((ours[name] as number) - expected), name).toBeLessThan(1e-9);
      }
    },
  );

  it('is computed with its thresholds', () => {
    expect(COCO_PARAMETERS.iouThresholds).toHaveLength(10);
    COCO_PARAMETERS.iouThresholds.forEach((threshold, i) => {
      expect(threshold).toBeCloseTo(0.5 + i * 0.05, 12);
    });
  });
});
