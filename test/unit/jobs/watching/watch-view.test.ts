import { describe, expect, it } from 'vitest';
import { NO_RUNS, takeLatency } from '../../../../src/benchmark/watch/latency-watch.ts';
import { showWatched } from '../../../../src/jobs/watching/show-series.ts';
import { watchView } from '../../../../src/jobs/watching/watch-view.ts';
import type { WatchedSeries } from '../../../../src/store/watched.ts';

/** A latency that was 5 ms twelve times, and then 6 ms. */
const WATCH = [...Array<number>(12).fill(0.005), 0.006].reduce(
  (before, latency, at) => takeLatency(before, { run: String(at), latency }),
  NO_RUNS,
);

const series = (more: Partial<WatchedSeries> = {}): WatchedSeries => ({
  ...{ id: 1, kind: 'latency', model: 'm', variant: 'int8', suite: 'profile', measurement: 'one' },
  ...{ device: 'cpu', host: 'h', state: 'suspected', sinceMs: 1, updatedMs: 2 },
  memory: { format: 1, watch: WATCH, good: null, provider: 'cpu', scenario: 'offline', confirmedMs: [] },
  ...more,
});

const storeOf = (known: readonly WatchedSeries[]) => ({ watchedSeries: () => known, watchEvents: () => [] });

describe('watchView', () => {
  it('has of a latency what was expected, the limit, and what came', () => {
    const [view] = watchView(storeOf([series()]), 'm').series;
    expect(view).toMatchObject({
      state: 'suspected',
      latency: { baselineRuns: 12, lastSeconds: 0.006, acknowledgedSeconds: null },
    });
    expect(view?.latency?.expectedSeconds).toBeCloseTo(0.005, 6);
    expect(view?.latency?.limitSeconds).toBeCloseTo(0.00525, 5);
    expect(view?.latency?.changeRatio).toBeCloseTo(1.2, 5);
  });

  it('expects nothing before there are enough runs', () => {
    const [view] = watchView(storeOf([series({ memory: null })]), 'm').series;
    expect(view).toMatchObject({
      state: 'learning',
      latency: { baselineRuns: 0, expectedSeconds: null, limitSeconds: null, changeRatio: null },
    });
  });
});

describe('showWatched', () => {
  it('exports the variants and suites that a model still has, and the newest of several hosts last', () => {
    const shown: string[] = [];
    const accuracy = { kind: 'accuracy', suite: '', memory: null } as const;
    showWatched(
      {
        store: storeOf([
          series({ updatedMs: 9, measurement: 'new' }),
          series({ updatedMs: 3, measurement: 'old' }),
          series({ variant: 'gone' }),
          series({ suite: 'gone' }),
          series({ ...accuracy, updatedMs: 4 }),
          series({ ...accuracy, variant: 'gone' }),
        ]),
        metrics: {
          showLatencyWatch: ({ measurement, state }) => shown.push(`${measurement} ${state}`),
          showAccuracyWatch: ({ variant }) => shown.push(`accuracy of ${variant}`),
        },
      },
      'm',
      { variants: new Set(['int8']), suites: new Set(['profile']) } as never,
    );
    expect(shown).toEqual(['old suspected', 'accuracy of int8', 'new suspected']);
  });
});
