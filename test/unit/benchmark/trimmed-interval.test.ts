import { describe, expect, it } from 'vitest';
import { geometricMeanInterval } from '../../../src/benchmark/confidence-interval.ts';
import { seededRandom } from '../../../src/benchmark/random.ts';
import { trimmedMeanInterval } from '../../../src/benchmark/trimmed-interval.ts';

/** Normal logarithms by Box and Muller, every tenth value spoilt by something that took `spoilt` times as long. */
function ratios(
  count: number,
  { seed, spoilt }: { readonly seed: number; readonly spoilt: number },
): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const disturbed = random() < 0.1;
    return Math.exp(0.1 + 0.02 * normal) * (disturbed ? (random() < 0.5 ? spoilt : 1 / spoilt) : 1);
  });
}

describe('the trimmed interval', () => {
  it('gives Yuen’s figures', () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 90].map(Math.exp);
    // By hand: 6 kept, mean 5.5; winsorized to 3, 3, 3, 4 … 8, 8, 8 with a sum of squares of 42.5 about it.
    const standardError = (Math.sqrt(42.5 / 9) * Math.sqrt(10)) / 6;
    const found = trimmedMeanInterval(values, 0.95);
    expect(Math.log(found?.estimate ?? 0)).toBeCloseTo(5.5, 12);
    // The 97.5 % point of Student's t with 5 degrees of freedom is 2.570582.
    expect(Math.log(found?.upper ?? 0)).toBeCloseTo(5.5 + 2.570582 * standardError, 5);
    expect(Math.log(found?.lower ?? 0)).toBeCloseTo(5.5 - 2.570582 * standardError, 5);
  });

  it('needs five values', () => {
    expect(trimmedMeanInterval([1, 1, 1, 1], 0.95)).toBeNull();
    expect(trimmedMeanInterval([2, 2, 2, 2, 2], 0.95)).toMatchObject({ lower: 2, upper: 2 });
  });

  it.each([1, 8])('holds the truth as often as it says, with spoilt values by a factor of %d', (spoilt) => {
    let held = 0;
    const trials = 1000;
    for (let seed = 0; seed < trials; seed++) {
      const { lower, upper } = trimmedMeanInterval(ratios(20, { seed, spoilt }), 0.95) as {
        lower: number;
        upper: number;
      };
      if (lower <= Math.exp(0.1) && upper >= Math.exp(0.1)) held += 1;
    }
    expect(held / trials).toBeGreaterThan(0.93);
    expect(held / trials).toBeLessThan(0.985);
  });

  it('stays narrow where a few spoilt values widen that of the plain mean beyond use', () => {
    const values = ratios(40, { seed: 3, spoilt: 8 });
    const width = (of: { lower: number; upper: number } | null) =>
      Math.log((of?.upper ?? 0) / (of?.lower ?? 1));
    expect(width(trimmedMeanInterval(values, 0.95))).toBeLessThan(0.03);
    expect(width(geometricMeanInterval(values, 0.95))).toBeGreaterThan(0.2);
  });
});
