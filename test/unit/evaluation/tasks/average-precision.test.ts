import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averagePrecision, rankByScore } from '../../../../src/evaluation/tasks/average-precision.ts';

const average = (
  scores: readonly number[],
  positives: readonly number[],
  weights?: readonly number[],
): number => averagePrecision(rankByScore(Float32Array.from(scores), positives), weights);

describe('rankByScore', () => {
  it('sorts by falling score, whatever the sign, with the first of equals first', () => {
    const scores = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(-0, 0, 1, -1));
    fc.assert(
      fc.property(fc.array(scores, { minLength: 1 }), (values) => {
        const positives = values.map(() => 1);
        const expected = [...values.keys()].sort(
          (a, b) => compare(values[b] as number, values[a] as number) || a - b,
        );
        expect([...rankByScore(Float32Array.from(values), positives).items]).toEqual(expected);
      }),
    );
  });

  it('ends with the last score that a positive has', () => {
    expect([...rankByScore(Float32Array.of(1, 2, 3, 2, 0), [0, 0, 0, 1, 0]).items]).toEqual([2, 1, 3]);
  });
});

function compare(a: number, b: number): number {
  if (a === b) return 0;
  return a > b ? 1 : -1;
}

describe('averagePrecision', () => {
  it('is the mean over the positives of the precision down to them', () => {
    expect(average([4, 3, 2, 1], [1, 0, 1, 0])).toBe((1 + 2 / 3) / 2);
    expect(average([1, 2, 3, 4], [1, 1, 0, 0])).toBe((1 / 3 + 2 / 4) / 2);
  });

  it('counts items of one score at once', () => {
    expect(average([1, 1, 1, 1], [1, 0, 0, 0])).toBe(1 / 4);
    expect(average([2, 1, 1], [0, 1, 0])).toBe(1 / 3);
  });

  it('is 0 without positives, be it that their weight is 0', () => {
    expect(average([2, 1], [0, 0])).toBe(0);
    expect(average([2, 1], [1, 0], [0, 1])).toBe(0);
    expect(average([], [])).toBe(0);
  });

  it('counts each item as often as its weight says', () => {
    expect(average([3, 2, 1], [0, 1, 1], [2, 1, 0])).toBe(1 / 3);
  });

  it('ranks infinities first and last', () => {
    expect(average([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY], [1, 0, 0])).toBe(1 / 3);
    expect(average([Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY], [1, 0, 0])).toBe(1 / 2);
  });
});
