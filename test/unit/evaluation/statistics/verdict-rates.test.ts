import { describe, expect, it } from 'vitest';
import { binomialUpperTail } from '../../../../src/evaluation/proportion.ts';
import { DEFAULT_VERDICT_SETTINGS } from '../../../../src/evaluation/verdict.ts';
import { mcnemarPower } from '../../../support/mcnemar-power.ts';
import {
  countVerdicts,
  judgeClassifiers,
  judgeSimulated,
  noisyDetectors,
  noisyErrors,
  shownShare,
  uniform,
  type VerdictCounts,
} from '../../../support/simulate-verdicts.ts';

// Seeds are fixed, so that these give the same every time. Where chance could break a promise it would do so once in
// 10,000 choices of the seed.

const { alpha } = DEFAULT_VERDICT_SETTINGS;

/** Whether so many false alarms can come from a test that gives each with probability alpha. */
function keepsAlpha(counts: VerdictCounts): boolean {
  const shown = counts.regressed + counts.degraded_within_budget;
  return binomialUpperTail(shown, counts.comparisons, alpha) > 1e-4;
}

describe('a model compared with itself', () => {
  it.each([200, 1000, 5000])('never regresses on %i items of which one in a thousand flips', (n) => {
    const random = uniform(n);
    const pair = { n, accuracy: 0.76, losses: 0.0005, gains: 0.0005 };
    const counts = countVerdicts(1000, () => judgeClassifiers(pair, random));
    expect(counts.regressed).toBe(0);
    expect(keepsAlpha(counts)).toBe(true);
  });
});

describe('two equally good classifiers that differ on 5 % of the items', () => {
  const equallyGood = { accuracy: 0.76, losses: 0.025, gains: 0.025 };

  it.each([200, 1000, 5000])('are told apart on %i items no more often than alpha allows', (n) => {
    const random = uniform(n + 1);
    const counts = countVerdicts(1000, () => judgeClassifiers({ n, ...equallyGood }, random));
    expect(keepsAlpha(counts)).toBe(true);
  });

  it('never regress where the items are so many that chance cannot exceed the budget', () => {
    const random = uniform(20_000);
    const counts = countVerdicts(300, () => judgeClassifiers({ n: 20_000, ...equallyGood }, random));
    expect(counts.regressed).toBe(0);
    expect(counts.non_inferior).toBeGreaterThan(270);
  });

  it('are told apart far too often if items that flip together are taken for single ones', () => {
    const random = uniform(7);
    const pair = { n: 1000, ...equallyGood, groupSize: 10 };
    const counts = countVerdicts(1000, () => judgeClassifiers(pair, random));
    expect(keepsAlpha(counts)).toBe(false);
    expect(shownShare(counts)).toBeGreaterThan(0.1);
  });
});

describe('two equally good models and a metric without a test of its own', () => {
  it.each([200, 1000])('are told apart by F1 on %i items no more often than alpha allows', (n) => {
    const random = uniform(n + 2);
    let seed = 0;
    const counts = countVerdicts(200, () => {
      seed += 1;
      return judgeSimulated(noisyDetectors(n, {}, random), { seed, byGroups: false });
    });
    expect(keepsAlpha(counts)).toBe(true);
  });

  it.each([200, 1000])('are told apart by mean error on %i items no more often than alpha allows', (n) => {
    const random = uniform(n + 3);
    let seed = 0;
    const counts = countVerdicts(200, () => {
      seed += 1;
      return judgeSimulated(noisyErrors(n, {}, random), { seed, byGroups: false });
    });
    expect(keepsAlpha(counts)).toBe(true);
  });

  it('are told apart on clustered items no more often than alpha allows if the groups are given, and far more otherwise', () => {
    const clustered = { groupSize: 10, shared: 0.2, own: 0.1 };
    const rates = [true, false].map((byGroups) => {
      const random = uniform(11);
      let seed = 0;
      return countVerdicts(200, () => {
        seed += 1;
        return judgeSimulated(noisyErrors(300, clustered, random), { seed, byGroups });
      });
    });
    const [byGroups, byItems] = rates as [VerdictCounts, VerdictCounts];
    expect(keepsAlpha(byGroups)).toBe(true);
    expect(keepsAlpha(byItems)).toBe(false);
    expect(shownShare(byItems)).toBeGreaterThan(0.15);
  });
});

describe('a candidate that is worse', () => {
  it.each([
    [500, 0.01],
    [500, 0.02],
    [500, 0.05],
    [2000, 0.01],
    [2000, 0.02],
    [2000, 0.05],
    [10_000, 0.01],
    [10_000, 0.02],
    [10_000, 0.05],
  ])('is found on %i items, with a drop of %f, as often as the exact power says', (n, drop) => {
    const discordance = 0.06;
    const pair = { n, accuracy: 0.76, losses: (discordance + drop) / 2, gains: (discordance - drop) / 2 };
    const random = uniform(n * 100 + drop * 1000);
    const comparisons = n === 10_000 ? 300 : 1000;
    const found = shownShare(countVerdicts(comparisons, () => judgeClassifiers(pair, random)));
    const power = mcnemarPower(n, discordance, drop, alpha);
    const deviation = Math.sqrt((power * (1 - power)) / comparisons);
    expect(Math.abs(found - power)).toBeLessThan(4 * deviation + 1 / comparisons);
  });

  it('is found by mean error, and not called non-inferior', () => {
    const random = uniform(5);
    let seed = 0;
    const counts = countVerdicts(40, () => {
      seed += 1;
      return judgeSimulated(noisyErrors(300, { shift: 0.06 }, random), {
        seed,
        byGroups: false,
        replicates: 200,
      });
    });
    expect(counts.regressed).toBeGreaterThan(36);
    expect(counts.non_inferior).toBe(0);
  });
});
