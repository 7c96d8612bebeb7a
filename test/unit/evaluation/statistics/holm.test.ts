import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holmAdjusted } from '../../../../src/evaluation/statistics/holm.ts';
import { vectors } from './comparison-vectors.ts';

const anyPValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

describe('holmAdjusted', () => {
  it('agrees with statsmodels', () => {
    for (const {
      arguments: [pValues],
      answer,
    } of vectors.holm) {
      const adjusted = holmAdjusted(pValues);
      expect(adjusted).toHaveLength(answer.length);
      for (const [i, p] of answer.entries()) expect(adjusted[i]).toBeCloseTo(p, 14);
    }
  });

  it('multiplies the smallest by all, the next by one fewer, and never falls', () => {
    expect(holmAdjusted([0.2, 0.01, 0.015])).toEqual([0.2, 0.03, 0.03]);
  });

  it('leaves a single p-value, and none, as they are', () => {
    expect(holmAdjusted([0.3])).toEqual([0.3]);
    expect(holmAdjusted([])).toEqual([]);
  });

  it('keeps the order, never lowers a p-value, and stays below Bonferroni', () => {
    fc.assert(
      fc.property(anyPValues, (pValues) => {
        const adjusted = holmAdjusted(pValues);
        for (const [i, p] of pValues.entries()) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p * pValues.length));
          for (const [j, q] of pValues.entries()) {
            if (p <= q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] as number);
          }
        }
      }),
    );
  });

  it('refuses what is no p-value', () => {
    expect(() => holmAdjusted([0.1, Number.NaN])).toThrow('NaN is not a p-value');
    expect(() => holmAdjusted([1.1])).toThrow(RangeError);
    expect(() => holmAdjusted([-0.1])).toThrow(RangeError);
  });
});
