import { describe, expect, it } from 'vitest';
import { repeatByWeight } from '../../../../src/evaluation/tasks/weighted-repeat.ts';

describe('repeatByWeight', () => {
  it('holds each item as often as its weight says', () => {
    expect(repeatByWeight(['a', 'b', 'c'], [2, 0, 1])).toEqual(['a', 'a', 'c']);
    expect(repeatByWeight(['a', 'b'], Uint16Array.of(0, 0))).toEqual([]);
  });

  it('without weights is a copy', () => {
    const items = ['a', 'b'];
    const copy = repeatByWeight(items, undefined);
    expect(copy).toEqual(items);
    expect(copy).not.toBe(items);
  });

  it.each([
    ['too few weights', [1]],
    ['too many weights', [1, 1, 1]],
    ['a weight that is no whole number', [1, 0.5]],
    ['a weight below 0', [1, -1]],
    ['a weight that is no number', [1, Number.NaN]],
  ])('refuses %s', (_what, weights) => {
    expect(() => repeatByWeight(['a', 'b'], weights)).toThrow(RangeError);
  });
});
