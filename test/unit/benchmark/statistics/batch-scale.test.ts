import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import { batchScale } from '../../../../src/benchmark/statistics/batch-scale.ts';
import { autoregressive } from '../../../support/simulate-queue.ts';
import { normal } from '../fakes.ts';

describe('batchScale', () => {
  it('is mostly 1 for independent values', () => {
    const random = seededRandom(1);
    const independent = Array.from({ length: 100 }, () =>
      batchScale(Float64Array.from({ length: 1000 }, random)),
    ).filter(({ length, reached }) => length === 1 && reached);
    // Six lengths are looked at, each at a level of 2.3 %.
    expect(independent.length).toBeGreaterThan(80);
  });

  it('grows with the reach of the dependence', () => {
    const random = seededRandom(2);
    const [near, far] = [0.5, 0.95].map((phi) => batchScale(autoregressive(random, phi, 20_000)));
    expect(near).toMatchObject({ reached: true });
    expect(near?.length).toBeGreaterThanOrEqual(4);
    expect(far).toMatchObject({ reached: true });
    expect(far?.length).toBeGreaterThan(3 * (near?.length as number));
  });

  it('sees a slow drift below fast noise, which neighbours alone do not show', () => {
    const random = seededRandom(3);
    const drift = autoregressive(random, 0.99, 10_000);
    const values = drift.map((slow) => 0.2 * slow + normal(random));
    expect(batchScale(values).length).toBeGreaterThanOrEqual(64);
  });

  it('says when the series is too short for its dependence', () => {
    expect(batchScale(Float64Array.from({ length: 1000 }, (_, i) => i))).toEqual({
      length: 32,
      reached: false,
    });
  });

  it('finds no dependence in values that are all equal, nor in too few', () => {
    expect(batchScale(new Float64Array(500).fill(3))).toEqual({ length: 1, reached: true });
    expect(batchScale([1, 2, 3])).toEqual({ length: 1, reached: true });
  });
});
