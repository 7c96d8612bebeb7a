import { writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { STORAGE_DEFAULTS, type StorageSettings } from '../../../../src/config/storage-settings.ts';
import type { Logger } from '../../../../src/core/log.ts';
import { ClockWatch } from '../../../../src/jobs/storage/clock-watch.ts';
import { minFreeBytesOf } from '../../../../src/jobs/storage/collect-garbage.ts';
import { shortageForQuantizing } from '../../../../src/jobs/storage/shortage-for-quantizing.ts';
import { StorageKeeper } from '../../../../src/jobs/storage/storage-keeper.ts';
import { createMetrics } from '../../../../src/metrics/metrics.ts';
import { openStore } from '../../../../src/store/store.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { unwrap } from '../../../support/unwrap.ts';

const HOUR_MS = 3600_000;
const HASH = 'a'.repeat(64);

/** A keeper whose settings, clock and disk the test changes. */
async function keeping(settings: Partial<StorageSettings> = {}) {
  // Files are made now, whatever the clock of the test says.
  const time = { wallMs: Date.now(), nowNs: 5_000_000_000n };
  const clock = { wallMs: () => time.wallMs, nowNs: () => time.nowNs };
  const store = unwrap(openStore(temporaryFolder(), clock));
  onTestFinished(() => store.close());
  const current = { settings: { ...STORAGE_DEFAULTS, minFreeBytes: 0, ...settings }, freeBytes: 2 ** 40 };
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
  const keeper = new StorageKeeper({
    store: { ...store, diskSpace: async () => ({ freeBytes: current.freeBytes, sizeBytes: 2 ** 40 }) },
    profiles: () => [],
    settings: () => current.settings,
    metrics,
    clock,
    logger,
    retryMs: 5,
  });
  onTestFinished(() => keeper.stop());
  return {
    keeper,
    store,
    current,
    logged,
    publish: async () => {
      const file = store.temporaryFile(HASH);
      writeFileSync(file, 'x'.repeat(5000));
      const description = { hash: HASH, model: 'm', variant: 'v', recipe: {}, report: {} };
      unwrap(await store.publishArtifact(file, description));
    },
    metric: async (start: string) =>
      (await metrics.render()).body.split('\n').find((line) => line.startsWith(start)),
    /** By so much on the monotonic clock, and by so much more on the wall clock. */
    pass: (hours: number, setHours = 0) => {
      time.nowNs += BigInt(hours * HOUR_MS) * 1_000_000n;
      time.wallMs += (hours + setHours) * HOUR_MS;
    },
  };
}

const never = new AbortController().signal;

describe('StorageKeeper', () => {
  it('tells what the data directory takes, and what it removed', async () => {
    const { keeper, publish, pass, metric, logged } = await keeping();
    await publish();
    await keeper.start();
    expect(await metric('ptq_storage_bytes{kind="artifacts"}')).toMatch(/ 5\d\d\d$/);
    expect(await metric('ptq_storage_short')).toBe('ptq_storage_short 0');
    pass(31 * 24);
    await keeper.collect();
    expect(await metric('ptq_storage_removed_total{kind="artifacts",reason="age"}')).toMatch(/ 1$/);
    expect(await metric('ptq_storage_bytes{kind="artifacts"}')).toMatch(/ 0$/);
    expect(logged).toEqual(['removed what was not used any more']);
  });

  it('lets runs wait while the disk is nearly full, and go on when there is room', async () => {
    const { keeper, current, logged, metric } = await keeping({ minFreeBytes: 1000 });
    await keeper.start();
    await keeper.untilRoom(never);
    current.freeBytes = 999;
    const went = vi.fn();
    const waiting = keeper.untilRoom(never).then(went);
    await vi.waitFor(() => expect(keeper.shortage?.kind).toBe('disk-space-low'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(went).not.toHaveBeenCalled();
    expect(await metric('ptq_storage_short')).toBe('ptq_storage_short 1');
    current.freeBytes = 1000;
    await waiting;
    expect(keeper.shortage).toBeUndefined();
    expect(logged).toEqual([
      'no run begins: 999 B are free on the disk of the data directory, and 1000 B are to stay free',
      'there is room again, and runs go on',
    ]);
  });

  it('makes room for a run with what nothing uses, before it lets it wait', async () => {
    const { keeper, publish, store, current } = await keeping();
    await publish();
    await keeper.start();
    const database = 300_000;
    current.settings = { ...current.settings, maxBytes: database };
    const held = store.holdArtifact(HASH);
    await keeper.collect();
    expect(keeper.shortage).toBeUndefined();
    current.settings = { ...current.settings, maxBytes: 1000 };
    await keeper.collect();
    expect(keeper.shortage).toMatchObject({
      kind: 'disk-quota-exceeded',
      message: expect.stringMatching(/^the data directory takes .* and may take 1000 B; most of it are /),
    });
    expect(store.findArtifact(HASH)).toBeDefined();
    held();
    await keeper.collect();
    expect(store.findArtifact(HASH)).toBeUndefined();
  });

  it('stops to wait when the daemon stops', async () => {
    const { keeper, current } = await keeping({ minFreeBytes: 1000 });
    current.freeBytes = 0;
    const stopping = new AbortController();
    const waiting = keeper.untilRoom(stopping.signal);
    await vi.waitFor(() => expect(keeper.shortage).toBeDefined());
    stopping.abort();
    await waiting;
  });

  it('removes nothing for its age for a day after the clock was set, whichever way', async () => {
    const { keeper, publish, store, pass, logged } = await keeping();
    await publish();
    await keeper.start();
    pass(1, 365 * 24);
    await keeper.collect();
    expect(store.findArtifact(HASH)).toBeDefined();
    expect(logged).toEqual(['the clock was set; nothing is removed for its age until a day has passed']);
    pass(1, -365 * 24);
    await keeper.collect();
    pass(23);
    await keeper.collect();
    expect(store.findArtifact(HASH)).toBeDefined();
    pass(30 * 24);
    await keeper.collect();
    expect(store.findArtifact(HASH)).toBeUndefined();
  });

  it('outlives a data directory that cannot be looked at', async () => {
    const { keeper, store, logged } = await keeping();
    const broken = new StorageKeeper({
      store: {
        ...store,
        storedFiles: async () => {
          throw Object.assign(new Error('EIO: i/o error, scandir'), { code: 'EIO' });
        },
      },
      profiles: () => [],
      settings: () => STORAGE_DEFAULTS,
      metrics: createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } }),
      clock: { wallMs: () => 0, nowNs: () => 0n },
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: (text) => void logged.push(text) },
    });
    expect(await broken.collect()).toBeUndefined();
    expect(logged).toEqual(['the data directory cannot be looked at: EIO: i/o error, scandir']);
    await keeper.collect();
  });
});

describe('ClockWatch', () => {
  it('tells by how much the clock was set, once, and nothing of what it drifts', () => {
    const time = { wallMs: 0, nowNs: 0n };
    const watch = new ClockWatch({ wallMs: () => time.wallMs, nowNs: () => time.nowNs });
    time.wallMs += 59 * 60_000;
    expect(watch.jumpSeconds()).toBeUndefined();
    time.wallMs -= 7 * HOUR_MS;
    expect(watch.jumpSeconds()).toBe(-7 * 3600);
    expect(watch.jumpSeconds()).toBeUndefined();
    expect(watch.isTrusted()).toBe(false);
    time.nowNs += 25n * 3600n * 1_000_000_000n;
    expect(watch.isTrusted()).toBe(true);
  });
});

describe('minFreeBytesOf', () => {
  it('is a gibibyte, or a twentieth of a small disk', () => {
    expect(minFreeBytesOf({ freeBytes: 0, sizeBytes: 2 ** 40 })).toBe(2 ** 30);
    expect(minFreeBytesOf({ freeBytes: 0, sizeBytes: 4_000_000 })).toBe(200_000);
  });
});

describe('shortageForQuantizing', () => {
  it('tells what is needed and what is there', () => {
    expect(shortageForQuantizing(1000, 3500)).toBeUndefined();
    expect(shortageForQuantizing(1000, 3499)).toMatchObject({
      kind: 'disk-space-low',
      message: expect.stringContaining('takes up to 3.42 KiB'),
    });
  });
});
