import { describe, expect, it } from 'vitest';
import { ModelRegistry } from '../../../src/jobs/model-registry.ts';
import { RunOutlook } from '../../../src/jobs/run-outlook.ts';
import type { UnfinishedRun } from '../../../src/store/run-durations.ts';
import type { Store } from '../../../src/store/store.ts';
import { profileOf } from '../../support/profile.ts';
import { unwrap } from '../../support/unwrap.ts';

const bench = { kind: 'bench' } as const;
const full = { kind: 'pipeline' } as const;

/** At second 100. @param known durations in seconds, by kind of run */
function outlookOf(
  unfinished: readonly UnfinishedRun[],
  known: Readonly<Record<string, readonly number[]>> = {},
) {
  const store = {
    unfinishedRuns: () => unfinished,
    runDurationsMs: ({ kind }: { kind: string }) => (known[kind] ?? []).map((seconds) => seconds * 1e3),
  };
  const clock = { wallMs: () => 100_000, nowNs: () => 0n };
  return new RunOutlook({
    store: store as unknown as Store,
    models: new ModelRegistry([profileOf('tiny')]),
    clock,
  });
}

const running = { id: 'A', model: 'tiny', state: 'running', request: bench, startedMs: 90_000 } as const;
const queued = { id: 'B', model: 'tiny', state: 'queued', request: bench } as const;

describe('the time until a run is over', () => {
  it('is what is left of the one under way, by the median of those before', () => {
    expect(outlookOf([running], { bench: [29, 30, 300] }).etaOf(running)).toEqual({
      etaSeconds: 20,
      etaBasis: 'history',
    });
  });

  it('of one that waits is that of all before it and its own', () => {
    const last = { ...queued, id: 'C' };
    expect(outlookOf([running, queued, last], { bench: [30] }).etaOf(last)).toEqual({
      etaSeconds: 80,
      etaBasis: 'history',
    });
  });

  it('is told from the plan where no such run was ever made', () => {
    const eta = outlookOf([queued]).etaOf(queued);
    expect(eta?.etaBasis).toBe('plan');
    expect(eta?.etaSeconds).toBeGreaterThan(10);
  });

  it.each([
    ['one before it was never done and tells nothing by its plan', [{ ...running, request: full }, queued]],
    ['the model of one before it is gone', [{ ...running, model: 'gone' }, queued]],
    ['one before it takes longer than ever', [{ ...running, startedMs: 0 }, queued]],
    ['it is not among those that are not over', [running]],
  ])('is not known where %s', (_why, unfinished) => {
    expect(outlookOf(unfinished, { bench: [30] }).etaOf(queued)).toBeUndefined();
  });

  it('is nothing for a run that is over', () => {
    expect(outlookOf([queued], { bench: [30] }).etaOf({ id: 'B', state: 'succeeded' })).toBeUndefined();
  });
});

describe('the plan of an order', () => {
  it('names variants, measurements and how long it takes', () => {
    const plan = unwrap(
      outlookOf([running]).planOf({
        model: 'tiny',
        order: { ...bench, scenario: 'offline', durationSeconds: 2 },
      }),
    );
    expect(plan).toMatchObject({
      model: 'tiny',
      queueLength: 1,
      traced: false,
      measurements: [{ scenario: 'offline', minDurationSeconds: 2, device: 'cpu' }],
      estimate: { basis: 'plan' },
    });
    expect(plan.variants[0]).toBe('fp32');
    const { seconds = 0 } = plan.estimate ?? {};
    expect(seconds).toBeGreaterThanOrEqual(2 * plan.variants.length);
  });

  it('has the estimate of history where there is one', () => {
    const plan = unwrap(outlookOf([], { bench: [30] }).planOf({ model: 'tiny', order: bench }));
    expect(plan.estimate).toEqual({ seconds: 30, basis: 'history' });
  });

  it.each([
    ['unknown-model', { model: 'huge', order: bench }],
    ['unknown-variant', { model: 'tiny', order: { ...bench, variants: ['int2'] } }],
    ['unknown-suite', { model: 'tiny', order: { ...bench, suite: 'none' } }],
  ])('is refused as the order would be: %s', (kind, asked) => {
    expect(outlookOf([]).planOf(asked)).toMatchObject({
      ok: false,
      error: { kind, place: { field: expect.any(String) } },
    });
  });
});
