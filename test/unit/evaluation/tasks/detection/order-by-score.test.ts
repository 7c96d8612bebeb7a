import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderBest, orderByScore } from '../../../../../src/evaluation/tasks/detection/order-by-score.ts';

const scores = fc
  .array(fc.oneof(fc.constantFrom(0, 0.25, 0.5, 1), fc.float({ min: 0, max: 8, noNaN: true })), {
    maxLength: 200,
  })
  // -0 and 0 are equal, and the room makes no -0.
  .map((values) => Float32Array.from(values, (value) => value + 0));

/** Sorted by a function that compares; Array.prototype.sort is stable. */
function expectedOrder(values: Float32Array): number[] {
  return [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number));
}

describe('orderByScore', () => {
  it('goes from the highest score to the lowest, equal ones in their own order', () => {
    expect([...orderByScore(Float32Array.of(0.5, 0, 1, 0.5, 1))]).toEqual([2, 4, 0, 3, 1]);
    fc.assert(
      fc.property(scores, (values) => {
        expect([...orderByScore(values)]).toEqual(expectedOrder(values));
      }),
    );
  });

  it('leaves what stands behind the count alone', () => {
    expect([...orderByScore(Float32Array.of(0.25, 0.5, 1), 2)]).toEqual([1, 0]);
  });

  it('orders more scores than it can pack into numbers', () => {
    const many = new Float32Array(2 ** 22 + 2).fill(0.5);
    many[many.length - 1] = 0.75;
    const order = orderByScore(many);
    expect([...order.slice(0, 3)]).toEqual([many.length - 1, 0, 1]);
    expect(order.at(-1)).toBe(many.length - 2);
  });
});

describe('orderBest', () => {
  it('is the beginning of the whole order, at least as long as wanted', () => {
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 40 }), (values, wanted) => {
        const best = [...orderBest(values, values.length, wanted)];
        expect(best).toEqual(expectedOrder(values).slice(0, best.length));
        expect(best.length).toBeGreaterThanOrEqual(Math.min(wanted, values.length));
      }),
    );
  });

  it('does not order what is far behind', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i + 1) / 1024);
    expect(orderBest(values, 1000, 10).length).toBeLessThan(50);
  });
});
