import { expect, vi } from 'vitest';
import { STORAGE_DEFAULTS } from '../../src/config/storage-settings.ts';
import { WATCH_DEFAULTS } from '../../src/config/watch-settings.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/log.ts';
import { Agent } from '../../src/jobs/agent.ts';
import type { AgentDeps } from '../../src/jobs/agent-deps.ts';
import { ModelRegistry } from '../../src/jobs/model-registry.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { fakeSampler } from './fake-sampler.ts';
import { fakeWorker } from './fake-worker.ts';
import { profileOf } from './profile.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { unwrap } from './unwrap.ts';

/** Profiles whose names are the behaviours of the fake worker. */
export function agentOf(names: readonly string[], more: Partial<AgentDeps> = {}) {
  const store = more.store ?? unwrap(openStore(temporaryFolder()));
  const models = new ModelRegistry(names.map((name) => profileOf(name)));
  const log: string[] = [];
  const note = (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void log.push(`${message}: ${fields['model']}`);
  const logger: Logger = { debug: () => {}, info: note, warn: note, error: note };
  const traces = { logdir: `${temporaryFolder()}/traces`, maxCount: 2, maxBytes: 1e9 };
  const worker = fakeWorker();
  const fake = fakeSampler();
  // Nobody waits for samples of a sampler that is not up.
  fake.setState('starting');
  const agent = new Agent({
    models,
    store,
    sampler: fake.sampler,
    samplerIdleIntervalMs: () => 1000,
    traces: () => traces,
    storage: () => ({ ...STORAGE_DEFAULTS, minFreeBytes: 0 }),
    watch: () => WATCH_DEFAULTS,
    metrics: createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } }),
    workerEntry: worker.entry,
    clock: systemClock,
    logger,
    retryAfterMs: 1,
    ...more,
  });
  return { agent, models, store, log, worker, setSampler: fake.setState, publish: fake.publish };
}

/** Waits until something was ordered, and nothing is queued or running. */
export async function idle(store: Store): Promise<void> {
  await vi.waitFor(
    () => {
      expect(store.listRuns({ limit: 1 })).toHaveLength(1);
      const { queued = 0, running = 0 } = store.countRuns();
      expect(queued + running).toBe(0);
    },
    { timeout: 20_000, interval: 20 },
  );
}

/** `MODEL KIND STATE` of every run, the oldest first. */
export const statesOf = (store: Store) =>
  store
    .listRuns({ limit: 200 })
    .map(({ model, kind, state }) => `${model} ${kind} ${state}`)
    .reverse();
