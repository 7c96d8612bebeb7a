import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestScale } from '../../../../src/quantization/tuning/weight-scales/best-scale.ts';
import { latticeStep } from '../../../../src/quantization/tuning/weight-scales/lattice-step.ts';

const GRID = { min: -127, max: 127 };

describe('latticeStep', () => {
  it('finds the step of weights that were quantized before, as float32 holds them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 8, maxLength: 60 }),
        fc.double({ min: 1e-4, max: 3, noNaN: true }),
        (codes, scale) => {
          fc.pre(codes.some((code) => code !== 0));
          const weights = Float32Array.from(codes, (code) => code * scale);
          const step = latticeStep(weights, 127) ?? Number.NaN;
          weights.forEach((weight) => {
            const code = Math.round(weight / step);
            expect(Math.abs(code)).toBeLessThanOrEqual(127);
            expect(Math.abs(code * step - weight)).toBeLessThan(1e-5 * Math.abs(127 * scale));
          });
        },
      ),
    );
  });

  it('finds it where no two weights are one step apart', () => {
    expect(latticeStep(Float32Array.of(0.2, 0.5, -0.7), 127)).toBeCloseTo(0.1, 6);
  });

  it.each([
    ['weights of any size', Float32Array.from({ length: 40 }, (_, index) => Math.sin(index * 1.7))],
    ['weights with more steps than codes', Float32Array.of(0.01, 2, -1)],
    ['zeros', new Float32Array(9)],
    ['no weights', new Float32Array(0)],
  ])('finds none for %s', (_, weights) => {
    expect(latticeStep(weights, 127)).toBeUndefined();
  });
});

describe('bestScale', () => {
  /** Many small weights and one outlier. */
  const OUTLIER = Float32Array.from({ length: 2000 }, (_, index) =>
    index === 0 ? 1 : 0.05 * Math.sin(index * 1.7),
  );

  it('cuts off an outlier that costs more than it is worth, and keeps one that is worth it', () => {
    const coarse = { min: -7, max: 7 };
    expect(
      bestScale(
        OUTLIER,
        OUTLIER.map(() => 1),
        1,
        coarse,
      ),
    ).toBeLessThan(0.75 / 7);
    const importance = OUTLIER.map((_, index) => (index === 0 ? 1e5 : 1));
    expect(bestScale(OUTLIER, importance, 1, coarse)).toBeCloseTo(1 / 7, 2);
  });

  it('is no worse than the scale that holds the largest weight', () => {
    const cost = (weights: Float32Array, scale: number) =>
      weights.reduce(
        (sum, w) => sum + (w - Math.max(-127, Math.min(127, Math.round(w / scale))) * scale) ** 2,
        0,
      );
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1, noNaN: true, min: -4, max: 4 }), (weights) => {
        const largest = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
        fc.pre(largest > 1e-3);
        const scale = bestScale(
          weights,
          weights.map(() => 1),
          largest,
          GRID,
        );
        expect(cost(weights, scale)).toBeLessThanOrEqual(cost(weights, Math.fround(largest / 127)) + 1e-9);
      }),
    );
  });
});
