import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePaired, itemsNeeded, type PairedCounts } from '../../../src/evaluation/paired.ts';
import { relativeError, vectors } from './statistics-vectors.ts';

function counts(b: number, c: number, bothRight = 0, bothWrong = 0): PairedCounts {
  return { bothRight, referenceOnly: b, candidateOnly: c, bothWrong };
}

const anyCounts = fc.record({
  bothRight: fc.nat(5000),
  referenceOnly: fc.nat(300),
  candidateOnly: fc.nat(300),
  bothWrong: fc.nat(2000),
});

describe('comparePaired', () => {
  it.each(vectors.mcnemar)(
    "agrees with SciPy's exact test for $b losses and $c gains",
    ({ b, c, pValue }) => {
      expect(relativeError(comparePaired(counts(b, c)).pValue, pValue)).toBeLessThan(1e-11);
    },
  );

  it.each([
    [5, 0, 0.031],
    [7, 0, 0.0078],
    [12, 3, 0.018],
    [15, 5, 0.021],
  ])('gives %i losses and %i gains the p-value %f', (b, c, pValue) => {
    expect(Number(comparePaired(counts(b, c)).pValue.toPrecision(2))).toBe(pValue);
  });

  it('measures the drop, its standard error and the bound as the formulas say', () => {
    const comparison = comparePaired(counts(12, 3, 170, 15));
    expect(comparison).toMatchObject({ n: 200, b: 12, c: 3, drop: 9 / 200, discordance: 15 / 200 });
    expect(comparison.dropStandardError).toBeCloseTo(Math.sqrt(15 - 81 / 200) / 200, 15);
    const adjustedError = Math.sqrt(16 - 81 / 202) / 202;
    expect(comparison.dropUpperBound).toBeCloseTo(9 / 202 + 1.6448536269514722 * adjustedError, 14);
  });

  it('does not claim certainty where nothing differs', () => {
    const comparison = comparePaired(counts(0, 0, 100));
    expect(comparison).toMatchObject({ drop: 0, dropStandardError: 0, pValue: 1 });
    expect(comparison.dropUpperBound).toBeCloseTo(1.6448536269514722 / 102, 14);
  });

  it('says nothing about no items', () => {
    expect(comparePaired(counts(0, 0))).toMatchObject({ n: 0, drop: 0, pValue: 1, dropUpperBound: 1 });
  });

  it('turns the sign of the drop when the models are swapped', () => {
    fc.assert(
      fc.property(anyCounts, (table) => {
        const forth = comparePaired(table);
        const back = comparePaired({
          ...table,
          referenceOnly: table.candidateOnly,
          candidateOnly: table.referenceOnly,
        });
        expect(back.drop + forth.drop).toBeCloseTo(0, 15);
        // P[X ≥ b] + P[X ≥ c] counts one outcome twice when b + c items are fair coins.
        expect(forth.pValue + back.pValue).toBeGreaterThanOrEqual(1 - 1e-12);
      }),
    );
  });

  it('bounds the drop from above, and more tightly with less confidence', () => {
    fc.assert(
      fc.property(anyCounts, (table) => {
        fc.pre(table.bothRight + table.bothWrong > 0);
        const strict = comparePaired(table, 0.99);
        expect(strict.dropUpperBound).toBeGreaterThan(comparePaired(table, 0.9).dropUpperBound);
        expect(strict.dropUpperBound).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('finds a loss more convincing the more losses there are', () => {
    fc.assert(
      fc.property(anyCounts, (table) => {
        const more = { ...table, referenceOnly: table.referenceOnly + 1 };
        expect(comparePaired(more).pValue).toBeLessThan(comparePaired(table).pValue + 1e-15);
      }),
    );
  });
});

describe('itemsNeeded', () => {
  it.each([
    [0.02, 1237],
    [0.05, 3092],
    [0.1, 6183],
  ])('shows a drop below one point at a discordance of %f with %i items', (discordance, n) => {
    expect(itemsNeeded(discordance, 0.01)).toBe(n);
  });

  it('is 6.18 d/M² at the usual confidence and power', () => {
    expect(itemsNeeded(0.05, 0.004) / (0.05 / 0.004 ** 2)).toBeCloseTo(6.18, 2);
  });

  it('asks for enough items that the bound falls below the margin even if nothing differs', () => {
    const n = itemsNeeded(0, 0.01);
    expect(comparePaired(counts(0, 0, n)).dropUpperBound).toBeLessThan(0.01);
    expect(comparePaired(counts(0, 0, n - 1)).dropUpperBound).toBeGreaterThanOrEqual(0.01);
  });
});
