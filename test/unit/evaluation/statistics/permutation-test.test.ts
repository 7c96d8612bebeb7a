import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binomialUpperTail } from '../../../../src/evaluation/proportion.ts';
import {
  type PermutationTest,
  pairedPermutationTest,
} from '../../../../src/evaluation/statistics/permutation-test.ts';
import type { Weights } from '../../../../src/evaluation/task.ts';
import { ACCURACY, ERROR, meanMeasure, rightAnswers } from './simulated-measures.ts';

interface More {
  readonly groups?: readonly (string | undefined)[];
  readonly unchanged?: readonly number[];
  readonly seed?: number;
  readonly permutations?: number;
}

function ofRightAnswers(n: number, b: number, c: number, more: More = {}): PermutationTest {
  const { reference, candidate } = rightAnswers(n, b, c);
  return pairedPermutationTest({
    measure: meanMeasure('top1', [...reference, ...candidate]),
    n,
    unchanged: reference.map((right, i) => (right === candidate[i] ? 1 : 0)),
    metric: ACCURACY,
    seed: 1,
    ...more,
  }) as PermutationTest;
}

function ofErrors(
  reference: readonly number[],
  candidate: readonly number[],
  more: More = {},
): PermutationTest {
  return pairedPermutationTest({
    measure: meanMeasure('mae', [...reference, ...candidate]),
    n: reference.length,
    metric: ERROR,
    seed: 1,
    ...more,
  }) as PermutationTest;
}

describe('pairedPermutationTest', () => {
  it('tries all swaps of few changes, which is the exact McNemar test for right and wrong answers', () => {
    fc.assert(
      fc.property(fc.nat(8), fc.nat(4), fc.integer(), (b, c, seed) => {
        const test = ofRightAnswers(30, b, c, { seed });
        expect(test).toMatchObject({ method: 'exact', permutations: 2 ** (b + c), changedUnits: b + c });
        expect(test.pValue).toBeCloseTo(binomialUpperTail(b, b + c, 0.5), 12);
      }),
      { numRuns: 30 },
    );
  });

  it('comes near that test by random swaps of many', () => {
    const { pValue, method, permutations, loss } = ofRightAnswers(500, 26, 10);
    const exact = binomialUpperTail(26, 36, 0.5);
    expect({ method, permutations }).toEqual({ method: 'sampled', permutations: 4999 });
    expect(loss).toBeCloseTo(16 / 500, 12);
    // Four standard deviations of a share of 4,999.
    expect(Math.abs(pValue - exact)).toBeLessThan(4 * Math.sqrt(exact / 4999));
  });

  it('sees all changes where nothing says which items did not change', () => {
    const marked = ofRightAnswers(500, 26, 10);
    const unmarked = ofErrors(rightAnswers(500, 10, 26).reference, rightAnswers(500, 10, 26).candidate);
    expect(unmarked.changedUnits).toBe(500);
    expect(marked.changedUnits).toBe(36);
    expect(ofRightAnswers(12, 6, 0, { unchanged: Array.from({ length: 12 }, () => 0) }).pValue).toBe(1 / 64);
  });

  it('is one-sided: a gain is no loss, whichever way the metric points', () => {
    const worse = ofErrors([1, 1, 1, 1, 1, 1], [2, 3, 2, 4, 2, 2]);
    expect(worse).toMatchObject({ loss: 1.5, pValue: 1 / 64 });
    const better = ofErrors([2, 3, 2, 4, 2, 2], [1, 1, 1, 1, 1, 1]);
    expect(better).toMatchObject({ loss: -1.5, pValue: 1 });
  });

  it('counts losses that are equal but for rounding as equal', () => {
    // Any three of these sum up to the same, in an order that rounds differently.
    const { pValue } = ofErrors([0, 0, 0, 0, 0, 0], [0.1, 0.1, 0.1, 0.1, -0.1, -0.1]);
    expect(pValue).toBe((15 + 6 + 1) / 64);
  });

  it('swaps all answers of a group together', () => {
    const groups = ['x', 'x', 'x', 'y', 'y', 'y', 'z', 'z', 'z'];
    const test = ofErrors([1, 1, 1, 1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2, 2, 2, 2], { groups });
    expect(test).toMatchObject({ changedUnits: 3, permutations: 8, pValue: 1 / 8 });
  });

  it('swaps a group in which only some answers changed, and leaves those in which none did', () => {
    const groups = ['x', 'x', 'y', 'y', undefined];
    const test = ofErrors([1, 1, 1, 1, 1], [2, 1, 1, 1, 2], { groups, unchanged: [0, 1, 1, 1, 0] });
    expect(test).toMatchObject({ changedUnits: 2, permutations: 4, pValue: 1 / 4 });
  });

  it('is certain of nothing where nothing changed', () => {
    expect(ofRightAnswers(50, 0, 0)).toMatchObject({ loss: 0, pValue: 1, permutations: 1, changedUnits: 0 });
  });

  it('gives the same for the same seed, and nearly the same for another', () => {
    const first = ofRightAnswers(500, 26, 10, { seed: 5 });
    expect(ofRightAnswers(500, 26, 10, { seed: 5 })).toEqual(first);
    const other = ofRightAnswers(500, 26, 10, { seed: 6 });
    expect(other.pValue).not.toBe(first.pValue);
    expect(other.pValue).toBeCloseTo(first.pValue, 1);
  });

  it('ends early where the loss is clearly nothing unusual, with a p-value that is still about right', () => {
    const { pValue, permutations } = ofRightAnswers(500, 20, 19);
    expect(permutations).toBeLessThan(200);
    expect(pValue).toBe(50 / permutations);
    expect(Math.abs(pValue - binomialUpperTail(20, 39, 0.5))).toBeLessThan(0.25);
  });

  it('has no p-value below one in the number of tries', () => {
    expect(ofRightAnswers(500, 60, 0).pValue).toBe(1 / 5000);
    expect(ofRightAnswers(500, 60, 0, { permutations: 99 })).toMatchObject({
      pValue: 0.01,
      permutations: 99,
    });
  });

  it('measures mixtures in which every item counts once for each model', () => {
    const n = 20;
    const reference = Array.from({ length: n }, (_, i) => i);
    const seen: string[] = [];
    const measure = (weights?: Weights) => {
      const w = weights as ArrayLike<number>;
      for (let item = 0; item < n; item += 1) {
        if ((w[item] as number) + (w[n + item] as number) !== 1) seen.push(`item ${item}`);
      }
      return meanMeasure('mae', [...reference, ...reference.map((value) => value + 1)])(weights);
    };
    pairedPermutationTest({ measure, n, metric: ERROR, seed: 1, permutations: 50 });
    expect(seen).toEqual([]);
  });

  it('has no result where the metric has no value for one of the models', () => {
    const measure = (weights?: Weights) => ({ top1: weights?.[0] === 1 ? 0.5 : null });
    expect(pairedPermutationTest({ measure, n: 3, metric: ACCURACY, seed: 1 })).toBeNull();
    expect(pairedPermutationTest({ measure: () => ({}), n: 3, metric: ACCURACY, seed: 1 })).toBeNull();
  });

  it('counts swaps without a value against the loss', () => {
    // The metric has no value once the answers to items 0 and 1 come from different models.
    const mean = meanMeasure('mae', [0, 0, 0, 1, 1, 1]);
    const measure = (weights?: Weights) => (weights?.[0] === weights?.[1] ? mean(weights) : { mae: null });
    expect(pairedPermutationTest({ measure, n: 3, metric: ERROR, seed: 1 })).toMatchObject({
      undefinedPermutations: 4,
      permutations: 8,
      pValue: 5 / 8,
    });
  });
});
