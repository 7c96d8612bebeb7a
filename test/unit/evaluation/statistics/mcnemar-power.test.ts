import { describe, expect, it } from 'vitest';
import { comparePaired } from '../../../../src/evaluation/paired.ts';
import { mcnemarPower } from '../../../support/mcnemar-power.ts';
import { relativeError } from '../statistics-vectors.ts';
import { vectors } from './comparison-vectors.ts';

describe('mcnemarPower', () => {
  it('agrees with the whole sum over all tables in SciPy', () => {
    for (const {
      arguments: [n, discordance, drop, alpha],
      answer,
    } of vectors.mcnemarPower) {
      const power = mcnemarPower(n, discordance, drop, alpha);
      expect(Math.abs(power - answer), `n = ${n}, drop = ${drop}`).toBeLessThan(1e-12);
    }
  });

  it('is the chance of seven losses where fewer do not count, and every item is lost', () => {
    expect(mcnemarPower(6, 1, 1, 0.01)).toBe(0);
    expect(mcnemarPower(7, 1, 1, 0.01)).toBe(1);
    // Of seven items each is lost with probability 0.9, or unchanged: all seven must be.
    expect(mcnemarPower(7, 0.9, 0.9, 0.01)).toBeCloseTo(0.9 ** 7, 12);
  });

  it('is at most alpha where nothing is lost', () => {
    for (const n of [50, 200, 1000, 20_000]) {
      const size = mcnemarPower(n, 0.05, 0, 0.01);
      expect(size).toBeLessThan(0.01);
      if (n >= 1000) expect(size).toBeGreaterThan(0.005);
    }
  });

  it('grows with the drop', () => {
    const powers = [0, 0.01, 0.02, 0.03].map((drop) => mcnemarPower(500, 0.05, drop, 0.01));
    expect([...powers].sort((a, b) => a - b)).toEqual(powers);
  });

  it('is nothing where no answer changes', () => {
    expect(mcnemarPower(100, 0, 0, 0.01)).toBe(0);
  });

  it('refuses a drop above the discordance', () => {
    expect(() => mcnemarPower(100, 0.01, 0.02, 0.01)).toThrow('a drop of 0.02 at a discordance of 0.01');
    expect(() => mcnemarPower(100, 1.1, 0.02, 0.01)).toThrow(RangeError);
  });

  it('counts what comparePaired finds, table by table', () => {
    const [n, losses, gains, alpha] = [12, 0.5, 0.1, 0.05];
    let power = 0;
    for (let b = 0; b <= n; b += 1) {
      for (let c = 0; b + c <= n; c += 1) {
        const { pValue } = comparePaired({
          bothRight: 0,
          referenceOnly: b,
          candidateOnly: c,
          bothWrong: n - b - c,
        });
        if (pValue < alpha)
          power += multinomial(n, b, c) * losses ** b * gains ** c * (1 - losses - gains) ** (n - b - c);
      }
    }
    expect(relativeError(mcnemarPower(n, losses + gains, losses - gains, alpha), power)).toBeLessThan(1e-12);
  });
});

function multinomial(n: number, b: number, c: number): number {
  const factorial = (k: number): number => (k < 2 ? 1 : k * factorial(k - 1));
  return factorial(n) / (factorial(b) * factorial(c) * factorial(n - b - c));
}
