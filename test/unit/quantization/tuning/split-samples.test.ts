import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitSamples } from '../../../../src/quantization/tuning/split-samples.ts';

const digests = fc.array(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 60 });

describe('splitSamples', () => {
  it('lets a quarter of the samples judge, those with the smallest digests', () => {
    const split = splitSamples(['d', 'a', 'f', 'c', 'b', 'h', 'g', 'e']);
    expect(split).toEqual({ learn: [0, 2, 3, 5, 6, 7], judge: [1, 4] });
  });

  it('lets no more than 64 judge', () => {
    const split = splitSamples(Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, '0')));
    expect(split.judge).toEqual(Array.from({ length: 64 }, (_, index) => index));
    expect(split.learn).toHaveLength(936);
  });

  it('has every sample on one side, and equal samples on the same', () => {
    fc.assert(
      fc.property(digests, (given) => {
        const { learn, judge } = splitSamples(given);
        expect([...learn, ...judge].sort((a, b) => a - b)).toEqual(given.map((_, index) => index));
        const judging = new Set(judge.map((index) => given[index]));
        expect(learn.filter((index) => judging.has(given[index]))).toEqual([]);
      }),
    );
  });

  it('does not go by the order of the samples', () => {
    fc.assert(
      fc.property(digests, (given) => {
        const chosen = (of: readonly string[]) => new Set(splitSamples(of).judge.map((index) => of[index]));
        expect(chosen(given.toReversed())).toEqual(chosen(given));
      }),
    );
  });

  it.each([[[]], [['a']], [['a', 'a', 'a']]])('lets none judge of %j', (given) => {
    expect(splitSamples(given).judge).toEqual([]);
  });
});
