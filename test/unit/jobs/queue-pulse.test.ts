import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import { problem } from '../../../src/core/problem.ts';
import { err } from '../../../src/core/result.ts';
import { RunQueue, type RunQueueDeps } from '../../../src/jobs/run-queue.ts';
import { openStore } from '../../../src/store/store.ts';
import { profileOf } from '../../support/profile.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const MINUTE_NS = 60_000_000_000n;
const never = () => new Promise<never>(() => {});

/** A queue with one run that fails at once. */
function queueWith(more: Partial<RunQueueDeps>) {
  const store = unwrap(openStore(temporaryFolder()));
  let nowNs = 0n;
  const failures: string[] = [];
  const queue = new RunQueue({
    store,
    clock: { nowNs: () => nowNs, wallMs: () => Date.now() },
    logger: silentLogger,
    profileOf: (name) => profileOf(name),
    requestOf: async () => undefined,
    carryOut: async () => err(problem('bad-input', 'no')),
    onResult: async () => {},
    onFailure: ({ kind }) => void failures.push(kind),
    onChange: () => {},
    ...more,
  });
  return {
    queue,
    store,
    failures,
    pass: (minutes: bigint) => {
      nowNs += minutes * MINUTE_NS;
    },
  };
}

const order = { kind: 'bench', model: 'tiny', request: { kind: 'bench' } } as const;

describe('RunQueue.isStuck', () => {
  it('tells a queue that does not come back from a step of its own', async () => {
    const { queue, store, failures, pass } = queueWith({ afterRun: never });
    store.createRun(order);
    queue.start(async () => {});
    await vi.waitFor(() => expect(failures).toHaveLength(1), { timeout: 20_000 });
    expect(queue.isStuck()).toBe(false);
    pass(9n);
    expect(queue.isStuck()).toBe(false);
    pass(2n);
    expect(queue.isStuck()).toBe(true);
  });

  it.each<[string, Partial<RunQueueDeps>]>([
    ['while a run is under way', { carryOut: never }],
    ['while it waits for room on the disk', { beforeRun: never }],
  ])('says nothing %s, however long', async (_when, more) => {
    const { queue, store, pass } = queueWith(more);
    store.createRun(order);
    queue.start(async () => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    pass(600n);
    expect(queue.isStuck()).toBe(false);
  });

  it('says nothing of a queue that has nothing to do, nor of one that has just got something', async () => {
    const { queue, store, pass } = queueWith({});
    queue.start(async () => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    pass(600n);
    expect(queue.isStuck()).toBe(false);
    store.createRun(order);
    expect(queue.isStuck()).toBe(false);
    // Nobody woke it, which is a fault.
    pass(11n);
    expect(queue.isStuck()).toBe(true);
  });
});
