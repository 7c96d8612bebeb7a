import { describe, expect, it } from 'vitest';
import { predictNext } from '../../../../src/benchmark/watch/prediction-limit.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { simulateHistory } from '../../../support/simulate-histories.ts';

describe('the limits of the next value', () => {
  it('are those of Student on the logarithms', () => {
    // ln: 0, 1, 2 with mean 1 and deviation 1; t(0.975; 2) = 4.302653, times sqrt(1 + 1/3).
    const predicted = predictNext([1, Math.E, Math.E ** 2], 0.975);
    expect(predicted?.level).toBeCloseTo(Math.E, 12);
    expect(predicted?.logStddev).toBeCloseTo(1, 12);
    const margin = 4.302652729749462 * Math.sqrt(4 / 3);
    expect(Math.log(predicted?.upper ?? 0)).toBeCloseTo(1 + margin, 9);
    expect(Math.log(predicted?.lower ?? 0)).toBeCloseTo(1 - margin, 9);
  });

  it('do not exist for a single value', () => {
    expect(predictNext([1], 0.99)).toBeNull();
    expect(predictNext([], 0.99)).toBeNull();
  });

  it('are exceeded as often as they say', () => {
    const random = seededRandom(7);
    const histories = 4000;
    let exceeded = 0;
    for (let made = 0; made < histories; made++) {
      const { latencies } = simulateHistory({ name: '', runs: 13, scatter: 0.1 }, random);
      const predicted = predictNext(latencies.slice(0, 12), 0.95);
      if ((latencies[12] as number) > (predicted?.upper ?? 0)) exceeded++;
    }
    // 200 expected; five standard deviations are 69.
    expect(exceeded).toBeGreaterThan(131);
    expect(exceeded).toBeLessThan(269);
  });
});
