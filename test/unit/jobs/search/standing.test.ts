import { describe, expect, it } from 'vitest';
import { choosingBudget } from '../../../../src/jobs/search/choosing-budget.ts';
import { accuracyOf } from '../../../../src/jobs/search/standing.ts';

const BASE = { n: 100, sqnrDb: 30, verdictReason: 'the reason', allowedDrop: 0.01 } as const;

describe('accuracyOf', () => {
  it('calls a budget kept only where the verdict does', () => {
    const kept = {
      ...BASE,
      metric: 'agreement',
      agreement: 1,
      agreementInterval: { lower: 0.996, upper: 1, confidence: 0.95 },
    };
    expect(accuracyOf({ ...kept, verdict: 'non_inferior' })).toMatchObject({
      standing: 'kept',
      metric: 'agreement',
      loss: 0,
      // One-sided: 1 - 0.05 ** (1 / 100).
      lossUpperBound: expect.closeTo(0.0295, 4),
      reason: 'the reason',
    });
    expect(accuracyOf({ ...kept, verdict: 'degraded_within_budget' }).standing).toBe('kept');
    expect(accuracyOf({ ...kept, verdict: 'inconclusive' }).standing).toBe('undecided');
    expect(accuracyOf({ ...kept, agreement: 0.99, verdict: 'inconclusive' }).standing).toBe('undecided');
    expect(accuracyOf({ ...kept, agreement: 0.98, verdict: 'inconclusive' }).standing).toBe('doubtful');
    expect(accuracyOf({ ...kept, verdict: 'regressed' }).standing).toBe('missed');
  });

  it('takes the loss of labels from the paired comparison, and its bound', () => {
    const paired = {
      n: 100,
      b: 3,
      c: 1,
      drop: 0.02,
      dropStandardError: 0.02,
      dropUpperBound: 0.055,
      confidence: 0.95,
      pValue: 0.3,
      discordance: 0.04,
    };
    const figures = [
      {
        name: 'top1',
        label: 'top-1',
        better: 'higher',
        unit: 'proportion',
        value: 0.74,
        reference: 0.76,
        interval: null,
        referenceInterval: null,
        loss: 0.02,
        lossInterval: null,
      },
    ] as const;
    expect(accuracyOf({ ...BASE, metric: 'top1', figures, paired, verdict: 'inconclusive' })).toMatchObject({
      value: 0.74,
      reference: 0.76,
      loss: 0.02,
      lossUpperBound: 0.055,
      standing: 'doubtful',
    });
  });

  it('knows of an SQNR how much it falls short', () => {
    expect(accuracyOf({ ...BASE, metric: 'sqnr_db', verdict: 'regressed' }, 32)).toMatchObject({
      loss: 2,
      lossUpperBound: 2,
      standing: 'missed',
    });
    expect(accuracyOf({ ...BASE, metric: 'sqnr_db', verdict: 'non_inferior' }, 25)).toMatchObject({
      loss: 0,
      standing: 'kept',
    });
  });

  it('does not take outputs that are no numbers for ones of which nothing is lost', () => {
    const invalid = { ...BASE, sqnrDb: null, metric: 'agreement', agreement: 1, verdict: 'invalid' } as const;
    expect(accuracyOf(invalid)).toMatchObject({ standing: 'missed', loss: null, lossUpperBound: null });
  });
});

describe('choosingBudget', () => {
  const of = (budget: Parameters<typeof choosingBudget>[0]['budget'], isLabelled = false) =>
    choosingBudget({ budget }, isLabelled);

  it('is the budget where there are labels', () => {
    expect(of({ metric: 'top1', absolute: 0.01 }, true)).toEqual({ metric: 'top1', absolute: 0.01 });
  });

  it('takes kept answers for a metric that needs labels where there are none', () => {
    expect(of({ metric: 'top1', absolute: 0.01, confidence: 0.9 })).toEqual({
      metric: 'agreement',
      absolute: 0.01,
      confidence: 0.9,
    });
    expect(of({ metric: 'wer', relative: 0.02 })).toEqual({ metric: 'agreement', relative: 0.02 });
    // A budget in units of its own says nothing about shares.
    expect(of({ metric: 'mae', absolute: 25 })).toEqual({ metric: 'agreement' });
  });

  it('leaves alone what needs no labels', () => {
    expect(of({ relative: 0.01 })).toEqual({ relative: 0.01 });
    expect(of({ metric: 'agreement', absolute: 0.02 })).toEqual({ metric: 'agreement', absolute: 0.02 });
    expect(of({ atLeast: 25 })).toEqual({ metric: 'sqnr_db', atLeast: 25 });
  });
});
