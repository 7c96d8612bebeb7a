import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/benchmark/random.ts';
import { ratioOfMeans } from '../../../src/benchmark/unpaired-interval.ts';

describe('ratioOfMeans', () => {
  it('is the ratio of geometric means', () => {
    const interval = ratioOfMeans([1, 100], [2, 2], 0.95);
    expect(interval?.estimate).toBeCloseTo(5, 12);
  });

  it("has the ends that Welch's interval of the logarithms has", () => {
    // Logarithms 0, 1, 2 and 0, 0.2, 0.4: difference 0.8, squared error 1/3 + 0.04/3, degrees of freedom 2.16, so 2; t = 4.302653.
    const interval = ratioOfMeans([1, Math.E, Math.E ** 2], [1, Math.exp(0.2), Math.exp(0.4)], 0.95);
    const margin = 4.302653 * Math.sqrt(1 / 3 + 0.04 / 3);
    expect(Math.log(interval?.lower ?? 0)).toBeCloseTo(0.8 - margin, 5);
    expect(Math.log(interval?.upper ?? 0)).toBeCloseTo(0.8 + margin, 5);
  });

  it('is a point where neither group scatters', () => {
    expect(ratioOfMeans([4, 4, 4], [2, 2, 2], 0.95)).toMatchObject({ estimate: 2, lower: 2, upper: 2 });
  });

  it('needs two values of each', () => {
    expect(ratioOfMeans([1], [1, 2], 0.95)).toBeNull();
    expect(ratioOfMeans([1, 2], [1], 0.95)).toBeNull();
  });

  it('holds the truth about as often as it says, also where one group scatters more', () => {
    const random = seededRandom(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const group = (spread: number, count: number) =>
      Array.from({ length: count }, () => Math.exp(spread * normal()));
    let held = 0;
    const trials = 2000;
    for (let trial = 0; trial < trials; trial++) {
      const interval = ratioOfMeans(group(0.02, 6), group(0.1, 12), 0.95);
      if (interval !== null && interval.lower <= 1 && interval.upper >= 1) held += 1;
    }
    expect(held / trials).toBeGreaterThan(0.935);
    expect(held / trials).toBeLessThan(0.975);
  });
});
