import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

/** A store whose clock is the test's. */
function storeAt() {
  const now = { ms: 1_000_000 };
  const store = unwrap(openStore(temporaryFolder(), { wallMs: () => now.ms, nowNs: () => 0n }));
  const finish = (request: object, seconds: number, model = 'tiny') => {
    const { id } = store.createRun({ kind: 'bench', model, request });
    unwrap(store.startRun(id));
    now.ms += seconds * 1e3;
    unwrap(store.finishRun(id, { large: true }));
  };
  return { store, now, finish };
}

describe('the durations of runs', () => {
  it('are those of the same order, the newest first', () => {
    const { store, finish } = storeAt();
    finish({ a: 1 }, 10);
    finish({ a: 2 }, 20);
    finish({ a: 1 }, 30);
    finish({ a: 1 }, 40, 'other');
    const like = { model: 'tiny', kind: 'bench', limit: 5 } as const;
    expect(store.runDurationsMs({ ...like, request: { a: 1 } })).toEqual([30_000, 10_000]);
    expect(store.runDurationsMs(like)).toEqual([30_000, 20_000, 10_000]);
    expect(store.runDurationsMs({ ...like, limit: 1 })).toEqual([30_000]);
    expect(store.runDurationsMs({ ...like, kind: 'pipeline' })).toEqual([]);
  });

  it('leave out runs that did not succeed', () => {
    const { store } = storeAt();
    const { id } = store.createRun({ kind: 'bench', model: 'tiny', request: {} });
    unwrap(store.startRun(id));
    unwrap(store.failRun(id, { kind: 'x', message: 'x' }));
    expect(store.runDurationsMs({ model: 'tiny', kind: 'bench', limit: 5 })).toEqual([]);
    expect(store.unfinishedRuns()).toEqual([]);
  });
});

describe('unfinished runs', () => {
  it('come in the order in which they are done: what is under way, then by rank', () => {
    const { store } = storeAt();
    const order = { kind: 'bench', model: 'tiny', request: { kind: 'bench' } } as const;
    const low = store.createRun({ ...order, priority: 'low' });
    const second = store.createRun(order);
    const first = store.createRun({ ...order, priority: 'high' });
    unwrap(store.startRun(second.id));
    const unfinished = store.unfinishedRuns();
    expect(unfinished.map(({ id }) => id)).toEqual([second.id, first.id, low.id]);
    expect(unfinished[0]).toMatchObject({
      state: 'running',
      startedMs: 1_000_000,
      request: { kind: 'bench' },
    });
    expect(unfinished[1]).not.toHaveProperty('startedMs');
  });
});
