import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { openStore } from '../../../src/store/store.ts';
import {
  createWatched,
  type SeriesChange,
  type SeriesKey,
  type WatchedSeries,
} from '../../../src/store/watched.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const KEY: SeriesKey = {
  kind: 'latency',
  model: 'digits',
  variant: 'int8',
  suite: 'profile',
  measurement: 'offline',
  device: 'cpu',
  host: 'A processor (8 CPUs)',
};

function change(of: Partial<SeriesChange> & { readonly run?: string } = {}): SeriesChange {
  const { run = 'R1', atMs = 1000, ...more } = of;
  return {
    key: KEY,
    state: 'steady',
    memory: { baseline: [0.01] },
    atMs,
    point: { run, finishedMs: atMs, figure: 0.01, valid: true, facts: { runtime: '1' } },
    events: [],
    ...more,
  };
}

function openDatabase() {
  const db = new Database(':memory:');
  for (const step of MIGRATIONS) db.exec(step);
  onTestFinished(() => void db.close());
  return db;
}

const only = (series: readonly WatchedSeries[]): WatchedSeries => {
  expect(series).toHaveLength(1);
  return series[0] as WatchedSeries;
};

describe('what is watched from run to run', () => {
  it('is found again with its points and events', () => {
    const watched = createWatched(openDatabase());
    watched.keepWatched([change()]);
    const event = { kind: 'state', run: 'R2', detail: { causes: ['runtime'] } } as const;
    watched.keepWatched([change({ run: 'R2', atMs: 2000, state: 'suspected', events: [event] })]);
    const series = only(watched.watchedSeries('digits'));
    expect(series).toMatchObject({ ...KEY, state: 'suspected', sinceMs: 2000, memory: { baseline: [0.01] } });
    expect(watched.findSeries(KEY)).toEqual(series);
    expect(watched.watchedPoints(series.id).map(({ run }) => run)).toEqual(['R1', 'R2']);
    expect(watched.watchedPoints(series.id, 1)[0]).toEqual({
      run: 'R2',
      finishedMs: 2000,
      figure: 0.01,
      valid: true,
      facts: { runtime: '1' },
    });
    expect(watched.watchEvents('digits', 10)).toEqual([
      { series: series.id, ...event, atMs: 2000, fromState: 'steady', toState: 'suspected' },
    ]);
    expect(watched.watchEvents('other', 10)).toEqual([]);
    expect(watched.watchedSeries('other')).toEqual([]);
  });

  it('keeps the time at which a state began while it lasts', () => {
    const watched = createWatched(openDatabase());
    for (const atMs of [1, 2, 3]) watched.keepWatched([change({ run: `R${atMs}`, atMs })]);
    expect(only(watched.watchedSeries())).toMatchObject({ sinceMs: 1, updatedMs: 3 });
  });

  it('is one series a host and a device', () => {
    const watched = createWatched(openDatabase());
    for (const more of [{}, { host: 'B' }, { device: 'cuda' }, { kind: 'accuracy' as const }])
      watched.keepWatched([change({ key: { ...KEY, ...more } })]);
    expect(watched.watchedSeries()).toHaveLength(4);
  });

  it('is bounded: the oldest points and events go, and series that nothing was added to for longest', () => {
    const watched = createWatched(openDatabase(), { pointsOfSeries: 2, eventsOfSeries: 3, series: 2 });
    const events = [{ kind: 'state', detail: null }] as const;
    for (const atMs of [1, 2, 3, 4, 5]) watched.keepWatched([change({ run: `R${atMs}`, atMs, events })]);
    const { id } = only(watched.watchedSeries());
    expect(watched.watchedPoints(id).map(({ run }) => run)).toEqual(['R4', 'R5']);
    expect(watched.watchEvents('digits', 10).map(({ atMs }) => atMs)).toEqual([5, 4, 3]);
    watched.keepWatched([change({ key: { ...KEY, variant: 'b' }, atMs: 6 })]);
    watched.keepWatched([change({ key: { ...KEY, variant: 'c' }, atMs: 7 })]);
    expect(watched.watchedSeries().map(({ variant }) => variant)).toEqual(['b', 'c']);
    expect(watched.watchedPoints(id)).toEqual([]);
    expect(watched.watchEvents('digits', 10)).toEqual([]);
  });

  it('remembers all of a run or nothing', () => {
    const watched = createWatched(openDatabase());
    const broken = change({ key: { ...KEY, variant: undefined as unknown as string } });
    expect(() => watched.keepWatched([change(), broken])).toThrow();
    expect(watched.watchedSeries()).toEqual([]);
  });
});

describe('a database from before anything was watched', () => {
  it('is brought up to date, and its runs are looked at in the order in which they ended', () => {
    const dataDir = temporaryFolder();
    mkdirSync(dataDir, { recursive: true });
    const old = new Database(join(dataDir, 'state.db'));
    for (const step of MIGRATIONS.slice(0, 3)) old.exec(step);
    old.pragma('user_version = 3');
    const add = old.prepare(
      `INSERT INTO runs (id, kind, model, state, request, created_ms, finished_ms, result)
       VALUES (@id, 'pipeline', 'digits', @state, '{}', 1, @finishedMs, '{"variants":[]}')`,
    );
    const [first, second, failed] = ['A', 'B', 'C'].map((end) => `01M0000000000000000000000${end}`);
    add.run({ id: first, state: 'succeeded', finishedMs: 20 });
    add.run({ id: second, state: 'succeeded', finishedMs: 10 });
    add.run({ id: failed, state: 'failed', finishedMs: 5 });
    old.close();
    const store = unwrap(openStore(dataDir));
    expect(store.unwatchedRuns()).toEqual([second, first]);
    store.keepWatched([change()], second);
    expect(store.unwatchedRuns()).toEqual([first]);
    store.close();
    const again = unwrap(openStore(dataDir));
    expect(again.unwatchedRuns()).toEqual([first]);
    expect(again.watchedSeries('digits')).toHaveLength(1);
    again.close();
  });
});
