import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countEdits, editDistance } from '../../../../../src/evaluation/tasks/text/edit-distance.ts';
import { editCounts, vectors } from './text-metrics-vectors.ts';

const codes = (text: string): number[] => Array.from(text, (c) => c.codePointAt(0) as number);
const edits = (reference: string, hypothesis: string) => countEdits(codes(reference), codes(hypothesis));
const tokens = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 9 });

describe('countEdits', () => {
  it('counts what is exchanged, added and left out', () => {
    expect(edits('cat', 'cut')).toEqual({ hits: 2, substitutions: 1, insertions: 0, deletions: 0 });
    expect(edits('cat', 'chat')).toEqual({ hits: 3, substitutions: 0, insertions: 1, deletions: 0 });
    expect(edits('cat', 'at')).toEqual({ hits: 2, substitutions: 0, insertions: 0, deletions: 1 });
    expect(edits('kitten', 'sitting')).toEqual({ hits: 4, substitutions: 2, insertions: 1, deletions: 0 });
  });

  it('of an empty sequence is the length of the other', () => {
    expect(edits('', '')).toEqual({ hits: 0, substitutions: 0, insertions: 0, deletions: 0 });
    expect(edits('', 'abc')).toEqual({ hits: 0, substitutions: 0, insertions: 3, deletions: 0 });
    expect(edits('abc', '')).toEqual({ hits: 0, substitutions: 0, insertions: 0, deletions: 3 });
  });

  it('divides equal alignments into kinds as jiwer does, for words and for characters', () => {
    for (const { figures, ...texts } of vectors.texts) {
      expect(editCounts(texts)).toEqual({ words: figures.words, characters: figures.characters });
    }
  });

  it('accounts for every token of both sequences', () => {
    fc.assert(
      fc.property(tokens, tokens, (reference, hypothesis) => {
        const { hits, substitutions, insertions, deletions } = countEdits(reference, hypothesis);
        expect(Math.min(hits, substitutions, insertions, deletions)).toBeGreaterThanOrEqual(0);
        expect(hits + substitutions + deletions).toBe(reference.length);
        expect(hits + substitutions + insertions).toBe(hypothesis.length);
      }),
    );
  });
});

describe('editDistance', () => {
  it('is the fewest edits, as a search of all alignments finds them', () => {
    const search = (a: readonly number[], b: readonly number[]): number => {
      if (a.length === 0 || b.length === 0) return a.length + b.length;
      const [first, ...restOfA] = a;
      const [other, ...restOfB] = b;
      if (first === other) return search(restOfA, restOfB);
      return 1 + Math.min(search(restOfA, restOfB), search(restOfA, b), search(a, restOfB));
    };
    const short = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 6 });
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(editDistance(a, b)).toBe(search(a, b));
      }),
    );
  });

  it('is the same in both directions, and no detour is shorter', () => {
    fc.assert(
      fc.property(tokens, tokens, tokens, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });
});
