import { describe, expect, it, onTestFinished } from 'vitest';
import { type LatencyMemory, NO_RUNS, takeLatency } from '../../../../src/benchmark/watch/latency-watch.ts';
import {
  NO_EVALUATIONS,
  type ObservedAccuracy,
  takeAccuracy,
} from '../../../../src/evaluation/watch/accuracy-watch.ts';
import { acknowledge, rebaseline } from '../../../../src/jobs/watching/change-watch.ts';
import { latencyMemoryOf } from '../../../../src/jobs/watching/watch-memory.ts';
import { openStore, type Store } from '../../../../src/store/store.ts';
import type { SeriesKey } from '../../../../src/store/watched.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const LATENCY: SeriesKey = {
  ...{ kind: 'latency', model: 'm', variant: 'int8', suite: 'profile' },
  ...{ measurement: 'offline', device: 'cpu', host: 'h' },
};
const ACCURACY: SeriesKey = { ...LATENCY, kind: 'accuracy', suite: '', measurement: '', device: '' };
const NOW_MS = 5000;

const TWELVE = Array.from({ length: 12 }, () => 0.01);

/** A store that has seen these latencies of int8, the runs named by their numbers. */
function seen(latencies: readonly number[], key = LATENCY): Store {
  const store = unwrap(openStore(temporaryFolder()));
  onTestFinished(() => store.close());
  see(store, latencies, key);
  return store;
}

function see(store: Store, latencies: readonly number[], key = LATENCY): void {
  let watch: LatencyMemory = NO_RUNS;
  latencies.forEach((latency, at) => {
    watch = takeLatency(watch, { run: `R${at}`, latency });
    const memory = { ...latencyMemoryOf(undefined), watch };
    const point = {
      run: `R${at}`,
      finishedMs: at,
      figure: latency,
      valid: true,
      facts: { artifact: `a${at}` },
    };
    store.keepWatched([{ key, state: watch.state, memory, atMs: at, point, events: [] }]);
  });
}

function seeAccuracy(store: Store, regressed: boolean): void {
  const one = (run: string, more: Partial<ObservedAccuracy> = {}): ObservedAccuracy => ({
    ...{ run, data: 'd', outputs: `o${run}`, artifact: null, value: 0.9 },
    ...more,
  });
  const loss = { verdict: 'regressed', loss: 0.2, lossUpperBound: 0.3, allowed: 0.01 } as const;
  const first = takeAccuracy(NO_EVALUATIONS, one('R0'));
  const watch = regressed ? takeAccuracy(first, one('R1', { baseline: loss })) : first;
  const memory = { format: 1, watch, good: null, drop: null };
  store.keepWatched([{ key: ACCURACY, state: watch.state, memory, atMs: 1, events: [] }]);
}

const order = { model: 'm', reason: 'we know' };
const statesOf = (store: Store) =>
  store.watchedSeries('m').map(({ kind, variant, state }) => `${kind} ${variant} ${state}`);

describe('acknowledging', () => {
  it('makes regressions known, with the reason in the history', () => {
    const store = seen([...TWELVE, 0.012, 0.012, 0.012]);
    seeAccuracy(store, true);
    unwrap(acknowledge(order, store, NOW_MS));
    expect(statesOf(store)).toEqual(['latency int8 acknowledged', 'accuracy int8 acknowledged']);
    expect(store.watchEvents('m', 1)).toEqual([
      {
        ...{ series: 2, atMs: NOW_MS, kind: 'acknowledged', fromState: 'regressed', toState: 'acknowledged' },
        detail: { reason: 'we know', causes: [] },
      },
    ]);
  });

  it('is only of what was chosen', () => {
    const slow = [...TWELVE, 0.012, 0.012, 0.012];
    const store = seen(slow);
    see(store, slow, { ...LATENCY, variant: 'w8' });
    seeAccuracy(store, true);
    for (const choice of [
      { kind: 'latency', variant: 'w8' },
      { suite: 'profile', measurement: 'offline', variant: 'w8' },
    ] as const) {
      acknowledge({ ...order, ...choice }, store, NOW_MS);
      expect(statesOf(store)).toEqual([
        'latency int8 regressed',
        'latency w8 acknowledged',
        'accuracy int8 regressed',
      ]);
    }
  });

  it('is refused where nothing has regressed, or nothing was chosen', () => {
    const store = seen([...TWELVE, 0.012]);
    expect(acknowledge(order, store, NOW_MS)).toMatchObject({
      ok: false,
      error: { kind: 'nothing-to-acknowledge' },
    });
    const slow = seen([...TWELVE, 0.012, 0.012, 0.012]);
    for (const choice of [{ variant: 'int4' }, { kind: 'accuracy' }, { model: 'other' }] as const)
      expect(acknowledge({ ...order, ...choice }, slow, NOW_MS).ok).toBe(false);
    expect(statesOf(slow)).toEqual(['latency int8 regressed']);
  });
});

describe('a new baseline', () => {
  it('of latency is made of the runs since the level changed', () => {
    const store = seen([...TWELVE, 0.012, 0.012, 0.012]);
    unwrap(rebaseline(order, store, NOW_MS));
    const { state, memory } = store.watchedSeries('m')[0] ?? {};
    expect(state).toBe('learning');
    expect(latencyMemoryOf({ memory })).toMatchObject({
      watch: { baseline: [0.012, 0.012, 0.012], state: 'learning' },
      good: { artifact: 'a14' },
    });
    expect(store.watchEvents('m', 1)[0]).toMatchObject({
      kind: 'baseline',
      run: 'R12',
      fromState: 'regressed',
      toState: 'learning',
    });
  });

  it('of latency begins with the last run where the level has not changed, or with the one that is named', () => {
    const store = seen(TWELVE);
    unwrap(rebaseline(order, store, NOW_MS));
    expect(latencyMemoryOf(store.watchedSeries('m')[0]).watch.baseline).toHaveLength(1);
    unwrap(rebaseline({ ...order, from: 'R2' }, store, NOW_MS));
    expect(store.watchedSeries('m')[0]?.state).toBe('steady');
    expect(latencyMemoryOf(store.watchedSeries('m')[0]).watch.baseline).toHaveLength(10);
  });

  it('of accuracy is the last evaluation', () => {
    const store = seen([]);
    seeAccuracy(store, true);
    unwrap(rebaseline({ ...order, kind: 'accuracy' }, store, NOW_MS));
    expect(store.watchedSeries('m')[0]).toMatchObject({
      state: 'steady',
      memory: { watch: { baseline: { run: 'R1', outputs: 'oR1' } } },
    });
  });

  it('is refused where there is no run for it', () => {
    const store = seen(TWELVE);
    for (const choice of [{ from: 'R99' }, { variant: 'int4' }])
      expect(rebaseline({ ...order, ...choice }, store, NOW_MS)).toMatchObject({
        ok: false,
        error: { kind: 'nothing-to-pin' },
      });
  });
});
