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

  it.each([true, false])('passes on that there is no such split (in order: %s)', async (inOrder) => {
    expect(await choose(SPLIT, 'test', inOrder)).toMatchObject({
      ok: false,
      error: { kind: 'split-missing' },
    });
  });
});
