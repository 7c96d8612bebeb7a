import { describe, expect, it } from 'vitest';
import { type BudgetOptions, evaluationBudget } from '../../../src/cli/evaluation-budget.ts';
import type { ProfileTask } from '../../../src/config/task.ts';
import type { EvaluationBudget } from '../../../src/jobs/evaluate-task.ts';

const CLASSIFICATION: ProfileTask = { name: 'classification', settings: {} };
const REGRESSION: ProfileTask = { name: 'regression', settings: {} };

function budgetOf(
  options: Partial<BudgetOptions>,
  budget?: EvaluationBudget,
  { task = CLASSIFICATION, ofProfile = CLASSIFICATION } = {},
) {
  const profile = budget === undefined ? undefined : { budget, task: ofProfile };
  return evaluationBudget({ relative: false, ...options }, task, profile);
}

describe('the budget of an evaluation without a profile', () => {
  it.each<[Partial<BudgetOptions>, EvaluationBudget]>([
    [{}, { relative: 0.01 }],
    [{ maxDrop: 0.02 }, { absolute: 0.02 }],
    [{ maxDrop: 0 }, { absolute: 0 }],
    [{ maxDrop: 0.02, relative: true }, { relative: 0.02 }],
    [{ metric: 'top5' }, { metric: 'top5', relative: 0.01 }],
    [
      { metric: 'top5', maxDrop: 0.02 },
      { metric: 'top5', absolute: 0.02 },
    ],
    [{ minSqnr: 20 }, { metric: 'sqnr_db', atLeast: 20 }],
    [
      { metric: 'sqnr_db', minSqnr: 0 },
      { metric: 'sqnr_db', atLeast: 0 },
    ],
    [
      { alpha: 0.05, confidence: 0.9 },
      { relative: 0.01, alpha: 0.05, confidence: 0.9 },
    ],
  ])('is by %j: %j', (options, value) => {
    expect(budgetOf(options)).toEqual({ ok: true, value });
  });
});

describe('the budget of an evaluation with a profile', () => {
  const TOP1 = { metric: 'top1', absolute: 0.005, alpha: 0.02, confidence: 0.99 };
  const rest = { alpha: 0.02, confidence: 0.99 };

  it.each<[string, Partial<BudgetOptions>, EvaluationBudget]>([
    ['is that of the profile', {}, TOP1],
    ['is that of the profile for its own metric', { metric: 'top1' }, TOP1],
    ['takes another loss for its metric', { maxDrop: 0.1 }, { ...rest, metric: 'top1', absolute: 0.1 }],
    [
      'takes a share in place of an absolute loss',
      { maxDrop: 0.1, relative: true },
      { ...rest, metric: 'top1', relative: 0.1 },
    ],
    [
      'does not take an allowance over to another metric',
      { metric: 'top5' },
      { ...rest, metric: 'top5', relative: 0.01 },
    ],
    [
      'takes a loss for another metric',
      { metric: 'top5', maxDrop: 0.1 },
      { ...rest, metric: 'top5', absolute: 0.1 },
    ],
    ['takes a floor in place of all of it', { minSqnr: 20 }, { ...rest, metric: 'sqnr_db', atLeast: 20 }],
    [
      'lets the options say how surely it must be known',
      { alpha: 0.001, confidence: 0.5 },
      { ...TOP1, alpha: 0.001, confidence: 0.5 },
    ],
  ])('%s', (_what, options, value) => {
    expect(budgetOf(options, TOP1)).toEqual({ ok: true, value });
  });

  it('is for the first metric of the task where the profile names none', () => {
    const budget = { absolute: 0.005 };
    expect(budgetOf({}, budget)).toEqual({ ok: true, value: budget });
    expect(budgetOf({ metric: 'top1' }, budget)).toEqual({
      ok: true,
      value: { metric: 'top1', absolute: 0.005 },
    });
    expect(budgetOf({ metric: 'top5' }, budget)).toEqual({
      ok: true,
      value: { metric: 'top5', relative: 0.01 },
    });
  });

  it('keeps a floor only for the metric that it is for', () => {
    const floor = { metric: 'sqnr_db', atLeast: 30 };
    expect(budgetOf({}, floor)).toEqual({ ok: true, value: floor });
    expect(budgetOf({ minSqnr: 10 }, floor)).toEqual({ ok: true, value: { metric: 'sqnr_db', atLeast: 10 } });
    expect(budgetOf({ metric: 'top1' }, floor)).toEqual({
      ok: true,
      value: { metric: 'top1', relative: 0.01 },
    });
  });

  it('is nothing to a task that the profile is not about', () => {
    const value = { ...rest, relative: 0.01 };
    expect(budgetOf({}, TOP1, { task: REGRESSION })).toEqual({ ok: true, value });
  });

  it('is that of the profile for a module of the user’s own, which names its metrics itself', () => {
    const own: ProfileTask = { name: 'own', settings: {}, module: '/own.mjs' };
    const budget = { metric: 'median_error', absolute: 2 };
    expect(budgetOf({}, budget, { task: own, ofProfile: own })).toEqual({ ok: true, value: budget });
  });
});

describe('options of a budget that would do nothing', () => {
  it.each<[Partial<BudgetOptions>, EvaluationBudget | undefined, string]>([
    [{ relative: true }, undefined, '--relative says how --max-drop is meant'],
    [{ minSqnr: 20, metric: 'top1' }, undefined, '--min-sqnr is for the metric sqnr_db, not for top1'],
    [{ minSqnr: 20, maxDrop: 0.1 }, undefined, '--max-drop is not for the metric sqnr_db'],
    [{ metric: 'sqnr_db', maxDrop: 0.1 }, undefined, '--max-drop is not for the metric sqnr_db'],
    [{ maxDrop: 0.1 }, { metric: 'sqnr_db', atLeast: 20 }, '--max-drop is not for the metric sqnr_db'],
  ])('are refused: %j with %j', (options, profile, words) => {
    expect(budgetOf(options, profile)).toMatchObject({
      ok: false,
      error: { kind: 'options-conflict', message: expect.stringContaining(words), hint: expect.any(String) },
    });
  });
});
