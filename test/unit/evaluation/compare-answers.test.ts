import { describe, expect, it } from 'vitest';
import { compareAnswers, type TalliedItem } from '../../../src/evaluation/compare-answers.ts';
import type { MetricInfo, Task, Weights } from '../../../src/evaluation/task.ts';
import { DEFAULT_VERDICT_SETTINGS, type VerdictSettings } from '../../../src/evaluation/verdict.ts';

/** An answer is a number; the metrics are means of what `values` takes from answers, null where it takes nothing. */
function meansTask(
  metrics: readonly (MetricInfo & { readonly of: (answer: number) => number | null })[],
  more: Partial<Task<number>> = {},
): Task<unknown> {
  const task: Task<number> = {
    name: 'means',
    metrics: metrics.map(({ of: _, ...metric }) => metric),
    againstReference: false,
    answer: () => ({ ok: true, value: 0 }),
    same: (reference, candidate) => reference === candidate,
    show: String,
    measure: (answers) => (weights: Weights) =>
      Object.fromEntries(metrics.map(({ name, of }) => [name, meanOf(answers.map(of), weights)])),
    ...more,
  };
  return task as unknown as Task<unknown>;
}

function meanOf(values: readonly (number | null)[], weights: Weights): number | null {
  let sum = 0;
  let count = 0;
  for (const [index, value] of values.entries()) {
    if (value === null) return null;
    const weight = weights?.[index] ?? 1;
    sum += weight * value;
    count += weight;
  }
  return count === 0 ? null : sum / count;
}

const SHARE = { name: 'share', label: 'share', better: 'higher', unit: 'proportion' } as const;
const ERROR = { name: 'error', label: 'mean error', better: 'lower', unit: 'number' } as const;

/** `n` items that the reference answers by 1, and the candidate by 0 for the first `lost` of them. */
function itemsOf(n: number, lost: number, group?: (index: number) => string): readonly TalliedItem[] {
  return Array.from({ length: n }, (_, index) => ({
    index,
    reference: 1,
    candidate: index < lost ? 0 : 1,
    ...(group === undefined ? {} : { group: group(index) }),
  }));
}

function settingsOf(more: Partial<VerdictSettings> = {}): VerdictSettings {
  return { ...DEFAULT_VERDICT_SETTINGS, budget: { absolute: 0.1 }, ...more };
}

/** What is found, and what is said of it where nothing else is compared. */
function compare(task: Task<unknown>, items: readonly TalliedItem[], settings: VerdictSettings) {
  const changed = items.filter(({ reference, candidate }) => !task.same(reference, candidate));
  const { comparison, judge } = compareAnswers(task, items, changed, settings);
  return { comparison, judgement: judge() };
}

describe('a task that compares with the reference', () => {
  const task = meansTask([{ ...SHARE, of: (answer) => answer }], { againstReference: true });

  it.each([
    ['regressed', 100, 'the loss is above'],
    ['inconclusive', 18, 'which is more than the 10 percentage points allowed'],
    ['non_inferior', 5, 'within the 10 percentage points allowed'],
  ] as const)('is judged by the bounds of its loss: %s', (verdict, lost, words) => {
    const { comparison, judgement } = compare(task, itemsOf(200, lost), settingsOf());
    expect(judgement).toMatchObject({ verdict, reason: expect.stringContaining(words) });
    // The reference is perfect by such a metric, so there is nothing to swap.
    expect(comparison).toMatchObject({
      metric: 'share',
      resampled: { metric: 'share', loss: expect.closeTo(lost / 200, 12), test: null },
      allowedDrop: 0.1,
    });
    expect(comparison).not.toHaveProperty('paired');
  });

  it('may have one such metric among others', () => {
    const mixed = meansTask([
      { ...SHARE, of: (answer) => answer },
      {
        ...ERROR,
        name: 'kept',
        label: 'kept',
        better: 'higher',
        againstReference: true,
        of: (answer) => answer,
      },
    ]);
    const by = (metric: string) => compare(mixed, itemsOf(200, 100), settingsOf({ metric }));
    expect(by('kept').comparison.resampled?.test).toBeNull();
    expect(by('kept').judgement.reason).toContain('the loss is above');
    expect(by('share').comparison.resampled?.test?.pValue).toBeLessThan(0.01);
    expect(by('share').judgement).toMatchObject({ verdict: 'regressed' });
  });
});

describe('the metric that is judged by', () => {
  /** The candidate is off by one on the first items: the error is worse, the share is not. */
  const task = meansTask([
    { ...SHARE, of: () => 0.5 },
    { ...ERROR, of: (answer) => (answer === 1 ? 2 : 3) },
  ]);
  const items = itemsOf(200, 100);

  it('is the first of the task', () => {
    const { comparison, judgement } = compare(task, items, settingsOf());
    expect(comparison.metric).toBe('share');
    expect(judgement.verdict).not.toBe('regressed');
  });

  it('is the one that the settings name, in its own unit', () => {
    const { comparison, judgement } = compare(task, items, settingsOf({ metric: 'error' }));
    expect(comparison).toMatchObject({ metric: 'error', resampled: { loss: 0.5 }, allowedDrop: 0.1 });
    expect(judgement.verdict).toBe('regressed');
    expect(judgement.reason).toContain('mean error');
  });

  it('allows a share of the reference’s figure where the budget is relative', () => {
    const settings = settingsOf({ metric: 'error', budget: { relative: 0.3 } });
    const { comparison, judgement } = compare(task, items, settings);
    expect(comparison.allowedDrop).toBeCloseTo(0.6, 12);
    expect(judgement.verdict).toBe('degraded_within_budget');
  });

  it('is how many answers were kept, where the settings say so', () => {
    const { comparison, judgement } = compare(task, items, settingsOf({ metric: 'agreement' }));
    expect(comparison).toMatchObject({ metric: 'agreement', agreement: 0.5, allowedDrop: 0.1 });
    expect(judgement.reason).toContain('the answer changed on 100 of 200 items');
  });

  it('gives all figures with their losses, whichever is judged by', () => {
    const { figures } = compare(task, items, settingsOf()).comparison;
    expect(figures).toMatchObject([
      { name: 'share', value: 0.5, reference: 0.5, loss: 0 },
      { name: 'error', value: 2.5, reference: 2, loss: 0.5, better: 'lower', unit: 'number' },
    ]);
    const [, error] = figures;
    expect(error?.lossInterval?.lower).toBeGreaterThan(0.3);
    expect(error?.lossInterval?.upper).toBeLessThan(0.7);
    expect(error?.interval?.confidence).toBe(0.95);
  });
});

describe('figures that have no value', () => {
  const unknown = meansTask([
    { ...SHARE, of: () => null },
    { ...ERROR, of: () => null },
  ]);

  it('leave the kept answers to judge by', () => {
    const { comparison, judgement } = compare(unknown, itemsOf(400, 0), settingsOf());
    expect(comparison).toMatchObject({
      metric: 'agreement',
      agreement: 1,
      figures: [
        { name: 'share', value: null, interval: null, reference: null, loss: null, lossInterval: null },
        {},
      ],
    });
    expect(judgement.verdict).toBe('non_inferior');
  });

  it('prove nothing where they were asked for by name', () => {
    const settings = settingsOf({ metric: 'error' });
    const { comparison, judgement } = compare(unknown, itemsOf(400, 0), settings);
    expect(comparison.resampled).toMatchObject({ metric: 'error', loss: null, upperBound: null });
    expect(judgement).toEqual({
      verdict: 'inconclusive',
      reason: expect.stringContaining('mean error has no value'),
    });
  });

  it('may be those of the candidate alone', () => {
    const half = meansTask([{ ...SHARE, of: (answer) => (answer === 1 ? 1 : null) }]);
    const { comparison, judgement } = compare(half, itemsOf(50, 1), settingsOf());
    expect(comparison.figures).toMatchObject([{ value: null, reference: 1 }]);
    expect(judgement.verdict).toBe('inconclusive');
  });
});

describe('a share of right answers', () => {
  const task = meansTask([{ ...SHARE, name: 'top1', of: (answer) => answer }], {
    isRight: (answer) => answer === 1,
  });

  it('has the exact test and exact intervals', () => {
    const { comparison, judgement } = compare(task, itemsOf(20, 5), settingsOf());
    expect(comparison).toMatchObject({
      metric: 'top1',
      top1: 0.75,
      reference: { top1: 1 },
      paired: { n: 20, b: 5, c: 0, drop: 0.25 },
    });
    expect(comparison).not.toHaveProperty('resampled');
    // Clopper-Pearson for 15 of 20 and for 20 of 20.
    expect(comparison.top1Interval?.lower).toBeCloseTo(0.50895, 5);
    expect(comparison.top1Interval?.upper).toBeCloseTo(0.91343, 5);
    expect(comparison.reference?.top1Interval?.lower).toBeCloseTo(0.83157, 5);
    expect(judgement.reason).toContain('5 newly wrong, 0 newly right');
  });

  it('keeps the counts of right answers beside the kept ones, where those are judged by', () => {
    const { comparison } = compare(task, itemsOf(20, 5), settingsOf({ metric: 'agreement' }));
    expect(comparison).toMatchObject({ metric: 'agreement', paired: { b: 5, c: 0 } });
  });

  it('is resampled where it is not known of every answer', () => {
    const partly = meansTask([{ ...SHARE, of: (answer) => answer }], {
      isRight: (answer) => (answer === 1 ? true : undefined),
    });
    const { comparison } = compare(partly, itemsOf(50, 5), settingsOf());
    expect(comparison).not.toHaveProperty('paired');
    expect(comparison.resampled).toMatchObject({ metric: 'share', loss: expect.closeTo(0.1, 12) });
  });
});

describe('items in groups', () => {
  const task = meansTask([{ ...SHARE, of: (answer) => answer }], { isRight: (answer) => answer === 1 });

  it('count as one each, and are resampled together', () => {
    const items = itemsOf(400, 40, (index) => `speaker ${index % 20}`);
    const { comparison, judgement } = compare(task, items, settingsOf({ budget: { absolute: 0.01 } }));
    expect(comparison).toMatchObject({ groups: 20, agreement: 0.9, resampled: { metric: 'share' } });
    expect(comparison).not.toHaveProperty('paired');
    // Clopper-Pearson for 18 of 20 groups, not for 360 of 400 items.
    expect(comparison.agreementInterval.lower).toBeCloseTo(0.68302, 5);
    expect(judgement.reason).toContain('20 groups');
  });

  it('bound the kept answers by how many groups there are', () => {
    const by = (groups: number) => {
      const items = itemsOf(400, 0, (index) => `speaker ${index % groups}`);
      return compare(task, items, settingsOf({ metric: 'agreement' })).judgement;
    };
    expect(by(10)).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('0 of 10 groups'),
    });
    expect(by(200)).toMatchObject({ verdict: 'non_inferior' });
  });
});

describe('the share of kept answers', () => {
  const task = meansTask([{ ...SHARE, of: () => null }]);

  it('counts every changed answer as one, whatever the number of items', () => {
    for (const [lost, n] of [
      [1, 3],
      [7, 25],
      [14, 25],
      [28, 100],
    ] as const) {
      const { reason } = compare(task, itemsOf(n, lost), settingsOf()).judgement;
      expect(reason).toContain(`the answer changed on ${lost} of ${n} items`);
    }
  });
});
