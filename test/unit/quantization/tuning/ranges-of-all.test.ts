import { describe, expect, it } from 'vitest';
import type { Draft } from '../../../../src/quantization/tuning/draft.ts';
import { withRangesOfAll } from '../../../../src/quantization/tuning/ranges-of-all.ts';

const to = (max: number) => ({ min: 0, max });
/** Edges by the tensor whose range they take. */
const draftOf = (edges: Readonly<Record<string, string>>, ranges: Draft['ranges']) =>
  ({ ranges, placement: { edges: new Map(Object.entries(edges)) } }) as unknown as Draft;

describe('withRangesOfAll', () => {
  const learned = new Map([
    ['a', to(1)],
    ['b', to(2)],
  ]);
  const all = new Map([
    ['a', to(10)],
    ['b', to(20)],
  ]);
  const rangeOf = (tensor: string) => learned.get(tensor) ?? to(Number.NaN);

  it('takes the ranges of all samples, and leaves those that a pass has moved or found anew', () => {
    const moved = new Map([
      ['a', rangeOf('a')],
      ['b', to(2)],
    ]);
    const { draft, count } = withRangesOfAll(draftOf({ a: 'a', b: 'b' }, moved), learned, all);
    expect(Object.fromEntries(draft.ranges)).toEqual({ a: to(10), b: to(2) });
    expect(count).toBe(1);
  });

  it('goes on with an edge that shared a range and has one of its own now', () => {
    const apart = new Map([
      ['a', rangeOf('a')],
      ['c', rangeOf('a')],
      ['unused', rangeOf('b')],
    ]);
    const { draft, count } = withRangesOfAll(draftOf({ a: 'a', c: 'c' }, apart), learned, all);
    expect(draft.ranges.get('c')).toEqual(to(10));
    expect(count).toBe(2);
  });
});
