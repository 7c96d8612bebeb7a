import { describe, expect, it } from 'vitest';
import { findChangePoints } from '../../../../src/benchmark/watch/change-points.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { simulateHistory } from '../../../support/simulate-histories.ts';

const history = (seed: number, runs: number, step?: { readonly at: number; readonly factor: number }) =>
  simulateHistory(
    { name: '', runs, scatter: 0.02, ...(step === undefined ? {} : { step }) },
    seededRandom(seed),
  ).latencies;

describe('change points of a history', () => {
  it('are where the level changed, with the ratio of the levels', () => {
    const found = findChangePoints(history(1, 80, { at: 50, factor: 1.2 }));
    expect(found).toHaveLength(1);
    expect(Math.abs((found[0]?.at ?? 0) - 50)).toBeLessThanOrEqual(1);
    expect(found[0]?.ratio).toBeCloseTo(1.2, 1);
  });

  it('are both found where the level changed and changed back', () => {
    const values = history(2, 90).map((value, at) => (at >= 30 && at < 60 ? value * 1.3 : value));
    expect(findChangePoints(values).map(({ at }) => at)).toEqual([30, 60]);
  });

  it('are rare where nothing changed', () => {
    const falsely = Array.from({ length: 100 }, (_, seed) => findChangePoints(history(100 + seed, 60)));
    expect(falsely.filter((found) => found.length > 0).length).toBeLessThanOrEqual(2);
  });

  it('are not made of changes that do not matter, however sure they are', () => {
    const steps = Array.from({ length: 40 }, (_, at) => (at < 20 ? 1 : 1.01));
    expect(findChangePoints(steps)).toEqual([]);
    const larger = Array.from({ length: 40 }, (_, at) => (at < 20 ? 1 : 1.1));
    expect(findChangePoints(larger)).toEqual([{ at: 20, ratio: expect.closeTo(1.1, 9) }]);
  });

  it('do not include what looked like one before the strong ones were known', () => {
    // In these histories more places pass the first, wider test than the last one.
    for (const seed of [42, 48, 54, 61]) {
      const { latencies } = simulateHistory(
        { name: '', runs: 60, scatter: 0.05, step: { at: 40, factor: 1.4 } },
        seededRandom(seed),
      );
      expect(findChangePoints(latencies).map(({ at }) => at)).toEqual([40]);
    }
  });

  it('need a few values on both sides', () => {
    expect(findChangePoints([])).toEqual([]);
    expect(findChangePoints([1, 1, 2, 2])).toEqual([]);
    expect(findChangePoints([1, 1.01, 0.99, 2, 2.01, 1.99]).map(({ at }) => at)).toEqual([3]);
  });
});
