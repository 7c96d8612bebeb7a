import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideIntoBlocks } from '../../../../src/jobs/explain/divide-blocks.ts';

const SETTINGS = { length: 100, loading: 1, most: 8 };

/** Runs of a whole model for each sample, as the documentation of blocks counts them. */
function costOf(blocks: readonly (readonly number[])[], starts: readonly number[], loading: number): number {
  return blocks.reduce((sum, block) => {
    const before = Math.min(...block.map((at) => starts[at] as number)) / SETTINGS.length;
    return sum + loading + before + (1 + block.length) * (1 - before);
  }, 0);
}

describe('divideIntoBlocks', () => {
  it('puts what begins at the end of a model apart from what begins at its start', () => {
    expect(divideIntoBlocks([90, 2, 91, 0, 92], SETTINGS)).toEqual([
      [3, 1],
      [0, 2, 4],
    ]);
  });

  it('leaves all in one block where loading takes longer than running', () => {
    expect(divideIntoBlocks([90, 2, 91], { ...SETTINGS, loading: 10 })).toEqual([[1, 0, 2]]);
  });

  it('makes no block larger than it may be, and none of nothing', () => {
    const blocks = divideIntoBlocks(new Array(7).fill(5), { ...SETTINGS, most: 3, loading: 10 });
    expect(blocks.map(({ length }) => length)).toSatisfy((sizes: number[]) =>
      sizes.every((size) => size <= 3),
    );
    expect(blocks.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(divideIntoBlocks([], SETTINGS)).toEqual([]);
  });

  it('finds no worse division than any other', () => {
    const places = fc.array(fc.nat(99), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        places,
        fc.nat(255),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (starts, cuts, loading) => {
          const sorted = [...starts.keys()].sort((a, b) => (starts[a] as number) - (starts[b] as number));
          const other: number[][] = [[]];
          for (const [place, at] of sorted.entries()) {
            if (place > 0 && (cuts >> place) % 2 === 1) other.push([]);
            other.at(-1)?.push(at);
          }
          const found = divideIntoBlocks(starts, { ...SETTINGS, loading });
          expect(found.flat().sort()).toEqual([...starts.keys()].sort());
          expect(costOf(found, starts, loading)).toBeLessThanOrEqual(costOf(other, starts, loading) + 1e-9);
        },
      ),
    );
  });
});
