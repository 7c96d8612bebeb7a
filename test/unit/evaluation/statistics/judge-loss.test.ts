import { describe, expect, it } from 'vitest';
import { judgeLoss, type LossEvidence } from '../../../../src/evaluation/statistics/judge-loss.ts';

const SETTINGS = { alpha: 0.01, confidence: 0.95 };

/** A mean absolute error that went from 2 to 2.1, where 0.05 are allowed. */
const ERROR: LossEvidence = {
  metric: { label: 'MAE', unit: 'number' },
  reference: 2,
  candidate: 2.1,
  loss: 0.1,
  pValue: 0.2,
  lossUpperBound: 0.25,
  budget: 0.05,
  n: 500,
  itemsNeeded: 12_000,
};

const F1: LossEvidence = {
  ...ERROR,
  metric: { label: 'F1', unit: 'proportion' },
  reference: 0.912,
  candidate: 0.9,
  loss: 0.012,
  lossUpperBound: 0.02,
  budget: 0.00912,
};

describe('judgeLoss', () => {
  it('says regressed for a loss that is shown and above the budget', () => {
    expect(judgeLoss({ ...ERROR, pValue: 0.0002 }, SETTINGS)).toEqual({
      verdict: 'regressed',
      reason: 'MAE went from 2 to 2.1 on 500 items (p = 2.0e-4): the loss is real and above the 0.05 allowed',
    });
  });

  it('says degraded within budget for a loss that is shown and not above it', () => {
    const atTheBudget = { ...ERROR, pValue: 0.005, budget: 0.1 };
    expect(judgeLoss(atTheBudget, SETTINGS)).toEqual({
      verdict: 'degraded_within_budget',
      reason: 'MAE went from 2 to 2.1 on 500 items (p = 0.005): the loss is real but within the 0.1 allowed',
    });
  });

  it('takes a loss for shown only when p lies below alpha', () => {
    expect(judgeLoss({ ...ERROR, pValue: 0.01 }, SETTINGS).verdict).toBe('inconclusive');
    expect(judgeLoss({ ...ERROR, pValue: 0.01 }, { ...SETTINGS, alpha: 0.05 }).verdict).toBe('regressed');
  });

  it('prefers what is shown to what is bounded', () => {
    const both = { ...ERROR, pValue: 0.001, loss: 0.01, lossUpperBound: 0.02 };
    expect(judgeLoss(both, SETTINGS).verdict).toBe('degraded_within_budget');
  });

  it('says non-inferior when the bound of the loss lies below the budget', () => {
    expect(judgeLoss({ ...F1, lossUpperBound: 0.009 }, SETTINGS)).toEqual({
      verdict: 'non_inferior',
      reason:
        'F1 went from 91.2 % to 90 % on 500 items (p = 0.200): with 95 % confidence the loss is below ' +
        '0.9 percentage points, within the 0.912 percentage points allowed',
    });
    expect(judgeLoss({ ...F1, lossUpperBound: 0.00912 }, SETTINGS).verdict).toBe('inconclusive');
  });

  it('says how large a gain is that is sure', () => {
    const gain = { ...ERROR, candidate: 1.5, loss: -0.5, pValue: 1, lossUpperBound: -0.31234 };
    expect(judgeLoss(gain, SETTINGS)).toEqual({
      verdict: 'non_inferior',
      reason: 'MAE went from 2 to 1.5 on 500 items (p = 1.000): with 95 % confidence the gain is above 0.312',
    });
  });

  it('says inconclusive otherwise, and how many items would do', () => {
    expect(judgeLoss(ERROR, SETTINGS)).toEqual({
      verdict: 'inconclusive',
      reason:
        'MAE went from 2 to 2.1 on 500 items (p = 0.200): with 95 % confidence the loss is below 0.25, ' +
        'which is more than the 0.05 allowed. About 12000 items would show it if nothing is lost in truth.',
    });
  });

  it('does not ask for fewer items than there were', () => {
    expect(judgeLoss({ ...ERROR, itemsNeeded: 400 }, SETTINGS).reason).toContain(
      'a loss near the budget is likely',
    );
  });

  it('asks for no number of items that is not known', () => {
    expect(judgeLoss({ ...ERROR, itemsNeeded: undefined }, SETTINGS).reason).toMatch(/0\.05 allowed\.$/);
  });

  it('cannot show that nothing at all is lost', () => {
    const { verdict, reason } = judgeLoss(
      { ...ERROR, budget: 0, itemsNeeded: Number.POSITIVE_INFINITY },
      SETTINGS,
    );
    expect(verdict).toBe('inconclusive');
    expect(reason).toContain('budget of nothing');
  });

  it('says in how many groups the items are clustered, and more where there is more', () => {
    const { reason } = judgeLoss({ ...ERROR, groups: 40, detail: '31 of 500 sentences changed' }, SETTINGS);
    expect(reason).toContain('on 500 items clustered in 40 groups (31 of 500 sentences changed, p = 0.200)');
    expect(judgeLoss({ ...ERROR, groups: 1 }, SETTINGS).reason).toContain('clustered in 1 group (');
  });

  it('says inconclusive where nothing bounds the loss', () => {
    expect(judgeLoss({ ...ERROR, lossUpperBound: null }, SETTINGS)).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('nothing bounds the loss'),
    });
    expect(judgeLoss({ ...ERROR, lossUpperBound: null, pValue: 0.001 }, SETTINGS).verdict).toBe('regressed');
  });

  it('says inconclusive where the metric has no value, and for which model', () => {
    const none = { ...ERROR, loss: null, pValue: null, lossUpperBound: null };
    expect(judgeLoss({ ...none, reference: null, candidate: null, groups: 3 }, SETTINGS)).toEqual({
      verdict: 'inconclusive',
      reason: 'MAE has no value for the reference on these 500 items clustered in 3 groups',
    });
    expect(judgeLoss({ ...none, candidate: null }, SETTINGS).reason).toContain('no value for the candidate');
  });
});
