import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_NEIGHBOR, nearestNeighbors } from '../../../../src/evaluation/tasks/nearest-neighbors.ts';

const search = (
  vectors: readonly (readonly number[])[],
  queries: readonly number[],
  k: number,
): Set<number>[] => {
  const table = {
    count: vectors.length,
    length: vectors[0]?.length ?? 0,
    rows: Float64Array.from(vectors.flat()),
  };
  const nearest = nearestNeighbors(table, Uint32Array.from(queries), k);
  return queries.map((_, query) => new Set(nearest.subarray(query * k, (query + 1) * k)));
};

describe('nearestNeighbors', () => {
  it('finds the rows of the largest products, without the query itself', () => {
    const vectors = [
      [1, 0],
      [0.8, 0.6],
      [0, 1],
      [-1, 0],
    ];
    expect(search(vectors, [0, 2, 3], 1)).toEqual([new Set([1]), new Set([1]), new Set([2])]);
    expect(search(vectors, [0], 3)).toEqual([new Set([1, 2, 3])]);
  });

  it('takes the first of equally near rows', () => {
    expect(
      search(
        [
          [1, 0],
          [0, 1],
          [0, 1],
          [0, 1],
        ],
        [0, 3],
        2,
      ),
    ).toEqual([new Set([1, 2]), new Set([1, 2])]);
  });

  it('never takes a row that is NaN, and finds nothing for one', () => {
    const vectors = [
      [1, 0],
      [Number.NaN, Number.NaN],
      [-1, 0],
    ];
    expect(search(vectors, [0, 1], 2)).toEqual([new Set([2, NO_NEIGHBOR]), new Set([NO_NEIGHBOR])]);
  });

  it('agrees with sorting all products, for any number of rows and queries', () => {
    const whole = fc.integer({ min: -2, max: 2 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(whole, whole, whole), { minLength: 2, maxLength: 23 }),
        fc.nat(6),
        fc.boolean(),
        (vectors, more, asksAll) => {
          const k = Math.min(1 + more, vectors.length - 1);
          const queries = [...vectors.keys()].filter((row) => asksAll || row % 3 !== 1);
          const expected = queries.map((query) => {
            const products = vectors.map((vector) =>
              vector.reduce((sum, x, i) => sum + x * (vectors[query]?.[i] as number), 0),
            );
            const others = [...vectors.keys()].filter((row) => row !== query);
            return new Set(
              others.sort((a, b) => (products[b] as number) - (products[a] as number)).slice(0, k),
            );
          });
          expect(search(vectors, queries, k)).toEqual(expected);
        },
      ),
    );
  });

  it('agrees with it where there are more rows than the cache takes at once', () => {
    const length = 20_000;
    const vectors = [3, 1, 2, 5, 4].map((size) => new Array<number>(length).fill(size));
    expect(search(vectors, [1, 4], 3)).toEqual([new Set([3, 4, 0]), new Set([3, 0, 2])]);
    expect(search(vectors, [0, 1, 2, 3, 4], 2)).toEqual([
      new Set([3, 4]),
      new Set([3, 4]),
      new Set([3, 4]),
      new Set([4, 0]),
      new Set([3, 0]),
    ]);
  });
});
