import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { klDivergence } from '../../../../src/evaluation/tasks/kl-divergence.ts';

describe('klDivergence', () => {
  it('compares given probabilities', () => {
    expect(klDivergence([0.5, 0.5], [0.25, 0.75])).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 12);
    expect(klDivergence([1, 0], [0.5, 0.5])).toBeCloseTo(Math.log(2), 12);
  });

  it('compares the softmax of logits', () => {
    const expected = 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3);
    expect(klDivergence([7, 7], [0, Math.log(3)])).toBeCloseTo(expected, 12);
    expect(klDivergence([-1, -1], [0, Math.log(3)])).toBeCloseTo(expected, 12);
    // Their sum is 1, but a negative number is no probability.
    expect(klDivergence([-1, 2], [2, -1])).toBeCloseTo(3 * Math.tanh(1.5), 12);
    // Logarithms of probabilities are logits of these.
    expect(klDivergence([Math.log(0.5), Math.log(0.5)], [Math.log(0.25), Math.log(0.75)])).toBeCloseTo(
      expected,
      12,
    );
  });

  it('lets the reference decide, and divides what an eight-bit softmax gives by its sum', () => {
    expect(klDivergence([0.5, 0.5], [0.2, 0.6])).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 12);
    // No more than 0.001 off the sum of 1 is still a distribution.
    expect(klDivergence([0.5005, 0.5], [1, 0])).toBeGreaterThan(5);
    expect(klDivergence([0.502, 0.5], [1, 0])).toBeLessThan(1);
  });

  it('stays finite where the candidate gives a class exactly 0', () => {
    expect(klDivergence([0.5, 0.5], [1, 0])).toBeCloseTo(0.5 * Math.log(0.5) + 0.5 * Math.log(0.5 / 1e-7), 5);
  });

  it('does not overflow', () => {
    expect(klDivergence([1000, 0], [1000, 0])).toBe(0);
    expect(klDivergence([1000, 0], [0, 1000])).toBe(1000);
  });

  it('is 0 for equal vectors and never negative', () => {
    const vectors = fc
      .array(
        fc.tuple(fc.float({ min: -30, max: 30, noNaN: true }), fc.float({ min: -30, max: 30, noNaN: true })),
        {
          minLength: 2,
        },
      )
      .map((pairs) => [pairs.map(([a]) => a), pairs.map(([, b]) => b)] as const);
    fc.assert(
      fc.property(vectors, ([reference, candidate]) => {
        expect(klDivergence(reference, reference)).toBeCloseTo(0, 12);
        expect(klDivergence(reference, candidate)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('tells nothing of a single class, of different lengths, and of numbers that are not finite', () => {
    expect(klDivergence([1], [1])).toBeNull();
    expect(klDivergence([0.5, 0.5], [0.5, 0.5, 0])).toBeNull();
    expect(klDivergence([0.5, Number.NaN], [0.5, 0.5])).toBeNull();
    expect(klDivergence([0.5, 0.5], [0.5, Number.POSITIVE_INFINITY])).toBeNull();
  });
});
