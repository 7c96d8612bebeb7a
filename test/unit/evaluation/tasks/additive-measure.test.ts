import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { additiveMeasure } from '../../../../src/evaluation/tasks/additive-measure.ts';

describe('additiveMeasure', () => {
  const measure = additiveMeasure(
    { items: 3, sums: 2 },
    (item, add) => {
      add(0, item + 1);
      if (item === 1) add(1, 10);
      if (item === 1) add(1, 5);
    },
    (sums, total, weights) => ({
      first: sums[0] as number,
      second: sums[1] as number,
      total,
      weighted: weights === undefined ? 0 : 1,
    }),
  );

  it('adds up what the items tell, several terms of one item included', () => {
    expect(measure()).toEqual({ first: 6, second: 15, total: 3, weighted: 0 });
  });

  it('counts every item as often as its weight says, call after call', () => {
    expect(measure([2, 0, 1])).toEqual({ first: 5, second: 0, total: 3, weighted: 1 });
    expect(measure(Uint32Array.of(0, 4, 0))).toEqual({ first: 8, second: 60, total: 4, weighted: 1 });
    expect(measure()).toEqual({ first: 6, second: 15, total: 3, weighted: 0 });
    expect(measure([0, 0, 0])).toEqual({ first: 0, second: 0, total: 0, weighted: 1 });
    expect(measure()).toEqual({ first: 6, second: 15, total: 3, weighted: 0 });
  });

  it('refuses weights that are not one for each item', () => {
    expect(() => measure([1, 1])).toThrow(RangeError);
  });

  it('gives what multiplying out gives', () => {
    const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(row, fc.nat(3))), (rows) => {
        const summed = additiveMeasure(
          { items: rows.length, sums: 4 },
          (item, add) =>
            rows[item]?.[0].forEach((value, sum) => {
              add(sum, value);
            }),
          (sums) => Object.fromEntries([...sums].entries()),
        );
        const expected = [0, 1, 2, 3].map((at) =>
          rows.reduce((sum, [values, weight]) => sum + weight * (values[at] as number), 0),
        );
        expect(Object.values(summed(rows.map(([, weight]) => weight)))).toEqual(expected);
      }),
    );
  });
});
