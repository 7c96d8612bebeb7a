import { describe, expect, it } from 'vitest';
import { comparePaired, itemsNeeded } from '../../../../src/evaluation/paired.ts';
import {
  detectableDrop,
  itemsNeededForLoss,
  mcnemarPower,
} from '../../../../src/evaluation/statistics/sample-size.ts';
import { relativeError } from '../statistics-vectors.ts';
import { vectors } from './comparison-vectors.ts';

describe('itemsNeededForLoss', () => {
  it('is itemsNeeded for a share of right answers', () => {
    const n = 800;
    const discordance = 40 / n;
    const scatter = { lossStandardError: Math.sqrt(discordance / n), oneMoreChange: 1 / n, n };
    expect(itemsNeededForLoss(scatter, 0.01)).toBe(itemsNeeded(discordance, 0.01));
    expect(itemsNeededForLoss(scatter, 0.01, { confidence: 0.99, power: 0.9 })).toBe(
      itemsNeeded(discordance, 0.01, { confidence: 0.99, power: 0.9 }),
    );
  });

  it('asks for four times the items to show half the margin', () => {
    const scatter = { lossStandardError: 0.2, oneMoreChange: 0.001, n: 1000 };
    expect(itemsNeededForLoss(scatter, 0.05) / itemsNeededForLoss(scatter, 0.1)).toBeCloseTo(4, 3);
  });

  it('asks for enough items that one change does not matter, even if nothing changed', () => {
    const scatter = { lossStandardError: 0, oneMoreChange: 1 / 102, n: 100 };
    expect(itemsNeededForLoss(scatter, 0.01)).toBe(Math.ceil((100 * 1.6448536269514722) / 102 / 0.01));
  });

  it('knows no sample that shows a margin of nothing', () => {
    expect(itemsNeededForLoss({ lossStandardError: 0.1, oneMoreChange: 0.01, n: 100 }, 0)).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

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

describe('detectableDrop', () => {
  it('is the drop at which the power is the one asked for', () => {
    for (const [n, discordance] of [
      [500, 0.05],
      [2000, 0.05],
      [10_000, 0.1],
    ] as const) {
      const drop = detectableDrop(n, discordance, 0.01, 0.8) as number;
      expect(mcnemarPower(n, discordance, drop, 0.01)).toBeCloseTo(0.8, 5);
    }
  });

  it('is about two points on 771 items of which 5 % change, at alpha 0.05', () => {
    expect(detectableDrop(771, 0.05, 0.05, 0.8)).toBeCloseTo(0.0208, 4);
  });

  it('is null where even a loss on every changed item goes unseen', () => {
    expect(detectableDrop(100, 0.01, 0.01, 0.8)).toBeNull();
    expect(detectableDrop(1000, 0, 0.01, 0.8)).toBeNull();
    expect(detectableDrop(0, 0.1, 0.01, 0.8)).toBeNull();
  });
});

function multinomial(n: number, b: number, c: number): number {
  const factorial = (k: number): number => (k < 2 ? 1 : k * factorial(k - 1));
  return factorial(n) / (factorial(b) * factorial(c) * factorial(n - b - c));
}
