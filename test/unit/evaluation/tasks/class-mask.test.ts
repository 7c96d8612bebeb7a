import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictedClass } from '../../../../src/evaluation/classification.ts';
import {
  countPixels,
  encodeMask,
  largestScores,
  maskAgreement,
  NO_CLASS,
} from '../../../../src/evaluation/tasks/class-mask.ts';

const encode = (...pixels: number[]) => encodeMask(Uint16Array.from(pixels), pixels.length, 1);

describe('encodeMask', () => {
  it('keeps one run of equal pixels as its end and its class', () => {
    expect(encode(5, 5, 5, 2, 5)).toEqual({
      width: 5,
      height: 1,
      ends: Uint32Array.of(3, 4, 5),
      classes: Uint16Array.of(5, 2, 5),
    });
  });
});

describe('maskAgreement', () => {
  it('is the share of equal pixels', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1 }), (pairs) => {
        const equal = pairs.filter(([a, b]) => a === b).length;
        const a = encode(...pairs.map(([pixel]) => pixel));
        const b = encode(...pairs.map(([, pixel]) => pixel));
        expect(maskAgreement(a, b)).toBe(equal / pairs.length);
      }),
    );
  });

  it('is 0 for masks of another size, and for pixels that are NaN in both', () => {
    expect(maskAgreement(encode(1, 1), encode(1, 1, 1))).toBe(0);
    expect(maskAgreement(encode(1, NO_CLASS), encode(1, NO_CLASS))).toBe(0.5);
  });
});

describe('countPixels', () => {
  it('adds up the runs of a class, the most frequent first', () => {
    expect(countPixels(encode(1, 2, 2, 1, 2))).toEqual([
      [2, 3],
      [1, 2],
    ]);
  });
});

describe('largestScores', () => {
  it('says of each pixel what predictedClass says, in both layouts', () => {
    const score = fc.constantFrom(-1, 0, 1, 2, Number.NaN, Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(fc.array(fc.array(score, { minLength: 3, maxLength: 3 }), { minLength: 1 }), (rows) => {
        const pixels = rows.length;
        const expected = rows.map((scores) => predictedClass(scores) & 0xffff);
        const byClass = [0, 1, 2].flatMap((label) => rows.map((scores) => scores[label] as number));
        expect([
          ...largestScores(rows.flat(), { classes: 3, pixels, classStride: 1, pixelStride: 3 }),
        ]).toEqual(expected);
        expect([
          ...largestScores(byClass, { classes: 3, pixels, classStride: pixels, pixelStride: 1 }),
        ]).toEqual(expected);
      }),
    );
  });
});
