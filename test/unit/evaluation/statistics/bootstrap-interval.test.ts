import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceleratedLevel,
  bootstrapBound,
  bootstrapDistribution,
  bootstrapShape,
  effectiveUnits,
  expandedLevel,
  sortedQuantile,
} from '../../../../src/evaluation/statistics/bootstrap-interval.ts';
import { relativeError } from '../statistics-vectors.ts';
import { vectors } from './comparison-vectors.ts';

/** The mean without one value, each. */
function leaveOneOut(values: readonly number[]): Float64Array {
  const total = values.reduce((sum, value) => sum + value, 0);
  return Float64Array.from(values, (value) => (total - value) / (values.length - 1));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('sortedQuantile', () => {
  it('interpolates between neighbours, as NumPy does', () => {
    const sorted = Float64Array.of(1, 2, 4, 8);
    expect([0, 0.25, 0.5, 5 / 6, 1].map((p) => sortedQuantile(sorted, p))).toEqual([1, 1.75, 3, 6, 8]);
  });

  it('is the only value at any level, and stays within the values', () => {
    expect(sortedQuantile(Float64Array.of(3), 0.9)).toBe(3);
    expect(sortedQuantile(Float64Array.of(3, 4), 1.2)).toBe(4);
    expect(sortedQuantile(Float64Array.of(3, 4), -0.2)).toBe(3);
  });

  it('refuses no values', () => {
    expect(() => sortedQuantile(new Float64Array(), 0.5)).toThrow(RangeError);
  });
});

describe('intervals from given replicates', () => {
  it("agree with SciPy's, percentile and BCa", () => {
    for (const {
      arguments: [values, replicates, level, method],
      answer,
    } of vectors.intervalOfReplicates) {
      const sorted = Float64Array.from(replicates).sort();
      const shape = bootstrapShape(sorted, meanOf(values), leaveOneOut(values));
      const tail = (1 - level) / 2;
      const ends = [tail, 1 - tail].map((end) =>
        sortedQuantile(sorted, method === 'BCa' ? acceleratedLevel(end, shape) : end),
      );
      for (const [i, end] of answer.entries()) {
        expect(relativeError(ends[i] as number, end), `${method} ${level}`).toBeLessThan(1e-12);
      }
    }
  });
});

describe('acceleratedLevel', () => {
  it('changes nothing for a distribution that is not bent', () => {
    expect(acceleratedLevel(0.975, { bias: 0, acceleration: 0 })).toBeCloseTo(0.975, 14);
  });

  it('moves both ends up for a long upper tail', () => {
    const bent = { bias: 0, acceleration: 0.1 };
    expect(acceleratedLevel(0.025, bent)).toBeGreaterThan(0.025);
    expect(acceleratedLevel(0.975, bent)).toBeGreaterThan(0.975);
  });

  it('leaves the level where all replicates lie on one side, as no shape can be told', () => {
    const shape = bootstrapShape(Float64Array.of(1, 2, 3), 5, Float64Array.of(1, 2));
    expect(shape.bias).toBe(Number.POSITIVE_INFINITY);
    expect(acceleratedLevel(0.9, shape)).toBe(0.9);
    expect(bootstrapShape(Float64Array.of(1, 2, 3), 0, Float64Array.of(1, 2)).bias).toBe(
      Number.NEGATIVE_INFINITY,
    );
  });
});

describe('acceleratedLevel at the ends', () => {
  it('stays at the ends, from which there is no way back', () => {
    expect(acceleratedLevel(1, { bias: 0.3, acceleration: 0.1 })).toBe(1);
    expect(acceleratedLevel(0, { bias: 0.3, acceleration: 0.1 })).toBe(0);
  });

  it('goes to the end where the bend is too strong for the level', () => {
    expect(acceleratedLevel(0.99, { bias: 0, acceleration: 0.5 })).toBe(1);
    expect(acceleratedLevel(0.01, { bias: 0, acceleration: -0.5 })).toBe(0);
  });

  it('takes the largest replicate of two units, whose level is certain', () => {
    const distribution = bootstrapDistribution(Float64Array.of(1, 2, 2, 4), 2, Float64Array.of(1, 4), 2);
    expect(bootstrapBound(distribution, 0.975)).toBe(4);
    expect(bootstrapBound(distribution, 0.025)).toBe(1);
  });
});

describe('bootstrapShape', () => {
  it('counts replicates that equal the observed value half', () => {
    expect(bootstrapShape(Float64Array.of(1, 2, 2, 3), 2, Float64Array.of(1, 1))).toEqual({
      bias: 0,
      acceleration: 0,
    });
  });
});

describe('expandedLevel', () => {
  it('goes further out for few units, and nearly nowhere for many', () => {
    // t of 4 degrees of freedom is 2.776; times √(5/4) it is 3.104, beyond which the normal distribution has 0.1 %.
    expect(expandedLevel(0.975, 5)).toBeCloseTo(0.99905, 5);
    expect(expandedLevel(0.025, 5)).toBeCloseTo(1 - 0.99905, 5);
    expect(expandedLevel(0.95, 10_000)).toBeCloseTo(0.95, 4);
  });

  it('keeps its side', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.51, max: 0.999, noNaN: true }),
        fc.integer({ min: 2, max: 500 }),
        (p, units) => {
          expect(expandedLevel(p, units)).toBeGreaterThan(p);
          expect(expandedLevel(1 - p, units)).toBeCloseTo(1 - expandedLevel(p, units), 12);
        },
      ),
    );
  });
});

describe('effectiveUnits', () => {
  it('counts the items that differ, where they differ alike', () => {
    const differences = Array.from({ length: 1000 }, (_, i) => (i < 2 ? 1 : 0));
    expect(effectiveUnits(leaveOneOut(differences))).toBeCloseTo(2, 1);
    const split = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    expect(effectiveUnits(leaveOneOut(split))).toBeCloseTo(100, 6);
  });

  it('counts one where one outweighs all others, and none where none differs', () => {
    expect(effectiveUnits(leaveOneOut([1000, 1, 2, 1, 2, 1]))).toBeCloseTo(1.43, 2);
    expect(effectiveUnits(Float64Array.of(0.5, 0.5, 0.5))).toBe(0);
    expect(effectiveUnits(new Float64Array())).toBe(0);
  });
});

describe('the shape of a distribution', () => {
  it('does not depend on the unit, however small or large it makes the values', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    const { acceleration } = bootstrapShape(Float64Array.of(1, 2), 1.5, leaveOneOut(values));
    expect(acceleration).not.toBe(0);
    for (const unit of [1e-160, 1e-300, 1e200]) {
      const jackknife = leaveOneOut(values.map((value) => value * unit));
      expect(bootstrapShape(Float64Array.of(1, 2), 1.5, jackknife).acceleration).toBeCloseTo(acceleration, 9);
      expect(effectiveUnits(jackknife)).toBeCloseTo(effectiveUnits(leaveOneOut(values)), 9);
    }
  });
});

describe('bootstrapDistribution', () => {
  it('sorts replicates by value, and measures how they scatter', () => {
    const distribution = bootstrapDistribution(Float64Array.of(10, 9, -2, 3), 5, Float64Array.of(4, 6), 4);
    expect([...distribution.sorted]).toEqual([-2, 3, 9, 10]);
    expect(distribution.standardError).toBeCloseTo(Math.sqrt((25 + 16 + 4 + 49) / 3), 12);
    expect(distribution).toMatchObject({ observed: 5, units: 4, effectiveUnits: 2 });
  });

  it('bounds at the level that is bent and expanded', () => {
    const replicates = Float64Array.from({ length: 1001 }, (_, i) => i);
    const jackknife = Float64Array.of(1, 2, 3, 9);
    const distribution = bootstrapDistribution(replicates, 400, jackknife, 4);
    const level = acceleratedLevel(expandedLevel(0.9, 4), distribution.shape);
    expect(distribution.shape.acceleration).not.toBe(0);
    expect(bootstrapBound(distribution, 0.9)).toBeCloseTo(1000 * level, 9);
  });
});
