import { describe, expect, it, onTestFinished } from 'vitest';
import { WATCH_DEFAULTS } from '../../../../src/config/watch-settings.ts';
import { silentLogger } from '../../../../src/core/log.ts';
import { problem } from '../../../../src/core/problem.ts';
import { err, ok } from '../../../../src/core/result.ts';
import { findingOf } from '../../../../src/jobs/watching/confirmation.ts';
import { type ConfirmDeps, orderConfirmations } from '../../../../src/jobs/watching/order-confirmations.ts';
import { latencyMemoryOf } from '../../../../src/jobs/watching/watch-memory.ts';
import { openStore, type Store } from '../../../../src/store/store.ts';
import type { SeriesKey } from '../../../../src/store/watched.ts';
import { benchResultOf } from '../../../support/pipeline-result.ts';
import { profileOf } from '../../../support/profile.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const HOUR_MS = 3600_000;
const KEY: SeriesKey = {
  ...{ kind: 'latency', model: 'tiny', variant: 'int8', suite: 'profile' },
  ...{ measurement: 'single-stream', device: 'cpu', host: 'h' },
};

function suspect(store: Store, more: Partial<SeriesKey> = {}, state = 'suspected', atMs = 1): void {
  const memory = { ...latencyMemoryOf(undefined), good: { artifact: `of-${more.variant ?? 'int8'}` } };
  store.keepWatched([{ key: { ...KEY, ...more }, state, memory, atMs, events: [] }]);
}

function setUp(more: Partial<ConfirmDeps> = {}) {
  const store = unwrap(openStore(temporaryFolder()));
  onTestFinished(() => store.close());
  const orders: Parameters<ConfirmDeps['order']>[0][] = [];
  let runs = 0;
  const confirm = (nowMs = 0, profile = profileOf('tiny')) =>
    orderConfirmations(profile, {
      ...{ store, settings: WATCH_DEFAULTS, nowMs, logger: silentLogger },
      order: (incoming) => {
        orders.push(incoming);
        runs += 1;
        return ok({ id: `R${runs}` });
      },
      ...more,
    });
  return { store, orders, confirm };
}

describe('measuring anew what is suspected', () => {
  it('takes all suspected variants of a measurement with what they were, behind whatever waits', () => {
    const { store, orders, confirm } = setUp();
    suspect(store);
    suspect(store, { variant: 'fp32' });
    confirm();
    expect(orders).toEqual([
      {
        model: 'tiny',
        priority: 'low',
        order: {
          ...{ kind: 'bench', variants: ['int8', 'fp32'], suite: 'profile' },
          confirms: { measurement: 'single-stream', artifacts: { int8: 'of-int8', fp32: 'of-fp32' } },
        },
      },
    ]);
    expect(store.watchEvents('tiny', 9).map(({ kind, run }) => `${kind} ${run}`)).toEqual([
      'confirmation R1',
      'confirmation R1',
    ]);
  });

  it('is for nothing else than latencies that are suspected, of variants and measurements that the profile has', () => {
    const { store, orders, confirm } = setUp();
    for (const state of ['steady', 'regressed', 'learning'])
      suspect(store, { variant: 'int8', host: state }, state);
    suspect(store, { kind: 'accuracy', suite: '', measurement: '', device: '' });
    suspect(store, { variant: 'gone' });
    suspect(store, { measurement: 'gone' });
    suspect(store, { suite: 'gone' });
    suspect(store, { model: 'other' });
    confirm();
    expect(orders).toEqual([]);
  });

  it('is for this host: what was measured on another one before is left alone', () => {
    const { store, orders, confirm } = setUp();
    suspect(store, { host: 'another' }, 'suspected', 1);
    suspect(store, {}, 'steady', 2);
    confirm();
    expect(orders).toEqual([]);
  });

  it('happens four times within 24 hours, or as often as the settings say, and goes on a day later', () => {
    const { store, orders, confirm } = setUp();
    suspect(store);
    for (let hour = 0; hour < 10; hour += 1) confirm(hour * HOUR_MS);
    expect(orders).toHaveLength(4);
    confirm(25 * HOUR_MS);
    expect(orders).toHaveLength(6 - 1);
    const {
      store: other,
      orders: few,
      confirm: seldom,
    } = setUp({ settings: { ...WATCH_DEFAULTS, confirmationsPerDay: 1 } });
    suspect(other);
    for (let hour = 0; hour < 3; hour += 1) seldom(hour * HOUR_MS);
    expect(few).toHaveLength(1);
  });

  it('does not happen where it is switched off, or one waits already', () => {
    const { store, orders, confirm } = setUp({ settings: { ...WATCH_DEFAULTS, confirm: false } });
    suspect(store);
    confirm();
    expect(orders).toEqual([]);
    const waiting = setUp();
    suspect(waiting.store);
    const request = {
      kind: 'bench',
      suite: 'profile',
      confirms: { measurement: 'single-stream', artifacts: {} },
    };
    waiting.store.createRun({ kind: 'bench', model: 'tiny', request });
    waiting.confirm();
    expect(waiting.orders).toEqual([]);
  });

  it('does not count an order that was refused', () => {
    const refused = () => err(problem('daemon-stopping', 'the daemon is about to end'));
    const { store, confirm } = setUp({ order: refused });
    suspect(store);
    confirm();
    expect(latencyMemoryOf(store.watchedSeries()[0]).confirmedMs).toEqual([]);
    expect(store.watchEvents('tiny', 9)).toEqual([]);
  });
});

/** Eight rounds of one process, each with this median. */
const rounds = (seconds: number) =>
  Array.from({ length: 8 }, (_, round) => ({
    ...{ round, process: 0, durationSeconds: 1, queries: 100, throughput: 1 / seconds, otherCpuCores: 0 },
    medianSeconds: seconds * (1 + (round % 3) / 1000),
  }));

const measured = (variant: string, seconds: number) => ({
  ...{ variant, sizeBytes: 1, speedUps: [] },
  bench: [benchResultOf(variant, { rounds: rounds(seconds) })],
});

describe('what such a run says', () => {
  const confirms = { measurement: 'single-stream', artifacts: { int8: 'before' } };
  const facts = (artifact: string) => ({ good: { artifact: 'before' }, now: { artifact } });
  const now = measured('int8', 0.006);
  const of = { variant: 'int8', bench: now.bench[0] as (typeof now.bench)[0] };

  it('is that the artifact is the slower one, where the one from before is faster in turns with it', () => {
    const result = { variants: [now, measured('int8@earlier', 0.005)] };
    const { reason, causes } = findingOf(confirms, of, facts('new'), result);
    expect(reason).toMatch(/^measured anew in turns with the artifact that it was before, at 0\.83/);
    expect(causes.map(({ kind }) => kind)).toEqual(['artifact']);
  });

  it('is that the host changed, where the one from before is as slow now, or it is the same file', () => {
    const result = { variants: [now, measured('int8@earlier', 0.006)] };
    expect(findingOf(confirms, of, facts('new'), result).causes.map(({ kind }) => kind)).toEqual(['host']);
    const alone = findingOf(confirms, of, facts('before'), { variants: [now] });
    expect(alone.causes.map(({ kind }) => kind)).toEqual(['host']);
    const fp32 = { good: { model: 'm' }, now: { model: 'm' } };
    expect(findingOf(confirms, { ...of, variant: 'fp32' }, fp32, { variants: [now] }).causes).toHaveLength(1);
  });

  it('is nothing about a cause, where what it was before is gone', () => {
    const { reason, causes } = findingOf(confirms, of, facts('new'), { variants: [now] });
    expect(reason).toContain('not there any more');
    expect(causes).toEqual([]);
  });
});
