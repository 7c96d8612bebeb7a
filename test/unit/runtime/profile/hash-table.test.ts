import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashTable } from '../../../../src/runtime/profile/hash-table.ts';

describe('a table of hashes', () => {
  it('numbers pairs in the order in which they come, however many and alike', () => {
    const table = new HashTable();
    const pairs = Array.from({ length: 5000 }, (_, index) => [index % 10, Math.floor(index / 10)] as const);
    expect(pairs.map(([a, b]) => table.placeOf(a, b))).toEqual(pairs.map((_, index) => index));
    expect(pairs.map(([a, b]) => table.placeOf(a, b))).toEqual(pairs.map((_, index) => index));
  });

  it('keeps to what a map does', () => {
    const hash = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const similar = fc.oneof(hash, fc.constantFrom(0, -1, 1));
    fc.assert(
      fc.property(fc.array(fc.tuple(similar, similar)), (pairs) => {
        const table = new HashTable();
        const map = new Map<string, number>();
        for (const [a, b] of pairs) {
          const key = `${a} ${b}`;
          if (!map.has(key)) map.set(key, map.size);
          expect(table.placeOf(a, b)).toBe(map.get(key));
        }
      }),
    );
  });
});
