import { describe, expect, it } from 'vitest';
import { areSameObjects, countAbove } from '../../../../../src/evaluation/tasks/detection/same-objects.ts';
import { answerOf, type FoundRow } from './random-pictures.ts';

function areSame(reference: readonly FoundRow[], candidate: readonly FoundRow[]): boolean {
  const of = (found: readonly FoundRow[]) => answerOf({ truths: undefined, found }).found;
  return areSameObjects(of(reference), of(candidate), 0.3);
}

describe('areSameObjects', () => {
  const dog: FoundRow = [0, 0, 10, 10, 0.9, 1];
  const cat: FoundRow = [50, 0, 10, 10, 0.8, 2];

  it('is true when every object is found about where it was, whatever its score', () => {
    expect(areSame([dog, cat], [dog, cat])).toBe(true);
    expect(
      areSame(
        [dog, cat],
        [
          [50, 1, 10, 10, 0.7, 2],
          [0, 3, 10, 10, 0.5, 1],
        ],
      ),
    ).toBe(true);
  });

  it('is false when an object is missing on either side', () => {
    expect(areSame([dog, cat], [dog])).toBe(false);
    expect(areSame([dog], [dog, cat])).toBe(false);
  });

  it('is false when an object has another class or another place', () => {
    expect(areSame([dog], [[0, 0, 10, 10, 0.9, 2]])).toBe(false);
    expect(areSame([dog], [[0, 6, 10, 10, 0.9, 1]])).toBe(false);
  });

  it('takes an overlap of just one half', () => {
    expect(areSame([dog], [[0, 0, 10, 5, 0.9, 1]])).toBe(true);
    expect(areSame([dog], [[0, 0, 10, 4.75, 0.9, 1]])).toBe(false);
  });

  it('leaves what scores less than the threshold out, on both sides', () => {
    expect(areSame([dog, [90, 0, 5, 5, 0.29, 1]], [dog, [70, 0, 5, 5, 0.25, 3]])).toBe(true);
    expect(areSame([], [[90, 0, 5, 5, 0.29, 1]])).toBe(true);
    expect(areSame([dog, [90, 0, 5, 5, 0.31, 1]], [dog])).toBe(false);
  });

  it('shows what scores just the threshold', () => {
    const { found } = answerOf({ truths: undefined, found: [[0, 0, 10, 10, 0.25, 1]] });
    expect(countAbove(found, 0.25)).toBe(1);
    expect(countAbove(found, 0.26)).toBe(0);
  });

  it('lets an object stand for one only', () => {
    const twins: FoundRow[] = [dog, [0, 1, 10, 10, 0.85, 1]];
    expect(areSame(twins, [dog, cat])).toBe(false);
    expect(areSame([dog, cat], twins)).toBe(false);
  });

  it('gives each object the one that overlaps it most', () => {
    const reference: FoundRow[] = [
      [0, 0, 10, 10, 0.9, 1],
      [0, 4, 10, 10, 0.8, 1],
    ];
    const candidate: FoundRow[] = [
      [0, 2, 10, 10, 0.9, 1],
      [0, 0, 10, 10, 0.8, 1],
    ];
    expect(areSame(reference, candidate)).toBe(true);
  });
});
