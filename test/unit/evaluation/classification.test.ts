import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInTop, predictedClass, tallyClassification } from '../../../src/evaluation/classification.ts';

describe('predictedClass', () => {
  it('is the position of the largest score', () => {
    expect(predictedClass([0.1, 0.7, 0.2])).toBe(1);
    expect(predictedClass([-3, -1, -2])).toBe(1);
    expect(predictedClass([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe(0);
  });

  it('is the first of equal scores, as in NumPy', () => {
    expect(predictedClass([1, 5, 5, 5])).toBe(1);
  });

  it('is no class when a score is NaN, wherever it stands', () => {
    expect(predictedClass([Number.NaN, 1])).toBe(-1);
    expect(predictedClass([5, 1, Number.NaN])).toBe(-1);
  });
});

describe('isInTop', () => {
  const scores = [9, 8, 7, 6, 5, 4];

  it('counts the classes ahead of the label', () => {
    expect(isInTop(5, scores, 4)).toBe(true);
    expect(isInTop(5, scores, 5)).toBe(false);
  });

  it('lets the first of equal scores go ahead', () => {
    const equal = [1, 1, 1, 1, 1, 1];
    expect(isInTop(5, equal, 4)).toBe(true);
    expect(isInTop(5, equal, 5)).toBe(false);
  });

  it('is false when a score is NaN', () => {
    expect(isInTop(5, [9, Number.NaN, 1], 0)).toBe(false);
  });

  it('with k = 1 is what predictedClass says', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 8 }), (values) => {
        const top = values.map((_, label) => isInTop(1, values, label));
        expect(top.indexOf(true)).toBe(predictedClass(values));
        expect(top.filter(Boolean)).toHaveLength(1);
      }),
    );
  });
});

describe('tallyClassification', () => {
  const FIRST = [1, 0];
  const SECOND = [0, 1];

  it('counts the four outcomes and the agreement', () => {
    const tally = tallyClassification();
    expect(tally.add(FIRST, FIRST, 0)).toBe(true);
    expect(tally.add(FIRST, SECOND, 0)).toBe(false);
    expect(tally.add(FIRST, SECOND, 1)).toBe(false);
    expect(tally.add(SECOND, SECOND, 0)).toBe(true);
    expect(tally.result()).toEqual({
      items: 4,
      agreed: 2,
      paired: { bothRight: 1, referenceOnly: 1, candidateOnly: 1, bothWrong: 1 },
      top5: undefined,
    });
  });

  it('counts only agreement without labels', () => {
    const tally = tallyClassification();
    tally.add(FIRST, SECOND, undefined);
    expect(tally.result()).toEqual({ items: 1, agreed: 0, paired: undefined, top5: undefined });
  });

  it('counts the top five from six classes on', () => {
    const tally = tallyClassification();
    tally.add([6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6], 0);
    expect(tally.result().top5).toEqual({ reference: 1, candidate: 0 });
  });

  it('counts NaN as wrong, and two of them as no agreement', () => {
    const tally = tallyClassification();
    const broken = [Number.NaN, 1];
    expect(tally.add(broken, broken, 0)).toBe(false);
    expect(tally.add(FIRST, broken, 0)).toBe(false);
    expect(tally.result()).toMatchObject({ agreed: 0, paired: { bothWrong: 1, referenceOnly: 1 } });
  });
});
