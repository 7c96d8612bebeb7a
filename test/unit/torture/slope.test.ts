import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/benchmark/random.ts';
import { slopeOf } from '../../torture/slope.ts';

describe('slopeOf', () => {
  it('finds the slope of a line', () => {
    const slope = slopeOf([0, 1, 2, 5].map((at) => ({ at, value: 3 + 2 * at })));
    expect(slope.perRun).toBeCloseTo(2);
    expect(slope.upper - slope.lower).toBeCloseTo(0);
  });

  it('has the truth in its interval nineteen times of twenty', () => {
    const random = seededRandom(1);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let hits = 0;
    for (let trial = 0; trial < 2000; trial += 1) {
      const points = Array.from({ length: 12 }, (_, at) => ({ at, value: 0.5 * at + normal() }));
      const { lower, upper } = slopeOf(points);
      if (lower <= 0.5 && upper >= 0.5) hits += 1;
    }
    // Three standard errors of the share.
    expect(hits / 2000).toBeGreaterThan(0.95 - 0.0147);
    expect(hits / 2000).toBeLessThan(0.95 + 0.0147);
  });
});
