import { describe, expect, it } from 'vitest';
import type { DataSpec } from '../../../src/core/data-spec.ts';
import { choosePositions } from '../../../src/data/choose-positions.ts';
import { fakeCollection } from '../../support/fake-collection.ts';
import { unwrap } from '../../support/unwrap.ts';

const SPLIT: DataSpec = { path: 'data', splits: { seed: 3, sizes: { calib: 0.4, eval: 0.6 } } };
const TWENTY = fakeCollection(Array.from({ length: 20 }, () => ({})));

const choose = (spec: DataSpec, split: string, inOrder = false) =>
  choosePositions(TWENTY, spec, { split, inOrder });
const positionsOf = async (...args: Parameters<typeof choose>) => [...unwrap(await choose(...args))];

const ascending = (positions: readonly number[]) => [...positions].sort((a, b) => a - b);

describe('choosePositions', () => {
  it('takes all items in order where the data is not split, whatever the split is called', async () => {
    const all = Array.from({ length: 20 }, (_, index) => index);
    expect(await positionsOf({ path: 'data' }, 'eval')).toEqual(all);
    expect(await positionsOf(SPLIT, 'all')).toEqual(all);
  });

  it('shuffles a split, so that its first items are a sample of all', async () => {
    const positions = await positionsOf(SPLIT, 'eval');
    expect(positions).not.toEqual(ascending(positions));
    expect(new Set([...positions, ...(await positionsOf(SPLIT, 'calib'))]).size).toBe(20);
  });

  it('keeps the order of the collection where items follow each other', async () => {
    const shuffled = await positionsOf(SPLIT, 'eval');
    expect(await positionsOf(SPLIT, 'eval', true)).toEqual(ascending(shuffled));
  });

  it('spreads fewer than all over data that is not split, which may be sorted by class', async () => {
    const [few, most] = [{ limit: 5 }, { limit: 19 }];
    const chosen = async ({ limit }: { limit: number }, inOrder = false) => [
      ...unwrap(await choosePositions(TWENTY, { path: 'data' }, { split: 'eval', inOrder, limit })),
    ];
    expect(await chosen(few)).toEqual([0, 4, 8, 12, 16]);
    expect(new Set(await chosen(most)).size).toBe(19);
    expect(await chosen({ limit: 21 })).toHaveLength(20);
    expect(await chosen(few, true)).toEqual([0, 1, 2, 3, 4]);
  });

  it('takes the first of a split, and of items that follow each other the first as they do', async () => {
    const chosen = async (inOrder: boolean) => [
      ...unwrap(await choosePositions(TWENTY, SPLIT, { split: 'eval', inOrder, limit: 3 })),
    ];
    expect(await chosen(false)).toEqual((await positionsOf(SPLIT, 'eval')).slice(0, 3));
    expect(await chosen(true)).toEqual(ascending(await positionsOf(SPLIT, 'eval')).slice(0, 3));
  });

  it.each([true, false])('passes on that there is no such split (in order: %s)', async (inOrder) => {
    expect(await choose(SPLIT, 'test', inOrder)).toMatchObject({
      ok: false,
      error: { kind: 'split-missing' },
    });
  });
});
