import { describe, expect, it } from 'vitest';
import { itemsNeeded } from '../../../../src/evaluation/paired.ts';
import { itemsNeededForLoss } from '../../../../src/evaluation/statistics/sample-size.ts';

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
