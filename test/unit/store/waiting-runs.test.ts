import { describe, expect, it, onTestFinished } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { openStore } from '../../../src/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const BENCH = { kind: 'bench', model: 'digits', request: { kind: 'bench' } } as const;
const KILLED = problem('worker-killed', 'the worker was ended');

function open() {
  const time = { wallMs: 1_790_000_000_000 };
  const folder = temporaryFolder();
  const store = unwrap(openStore(folder, { nowNs: () => 0n, wallMs: () => time.wallMs }));
  onTestFinished(() => store.close());
  return { store, time };
}

describe('a run that waits', () => {
  it('knows how many come before it', () => {
    const { store, time } = open();
    const low = store.createRun({ ...BENCH, priority: 'low' });
    const normal = store.createRun(BENCH);
    time.wallMs += 1;
    const high = store.createRun({ ...BENCH, priority: 'high' });
    expect([high, normal, low].map(({ id }) => store.countAhead(id))).toEqual([0, 1, 2]);
    expect(store.nextQueued()?.id).toBe(high.id);
    store.startRun(high.id);
    expect(store.countAhead(low.id)).toBe(1);
  });

  it('is overdue from its deadline on, and can expire once', () => {
    const { store, time } = open();
    const { id } = store.createRun({ ...BENCH, deadlineMs: time.wallMs + 100 });
    store.createRun(BENCH);
    expect(store.nextQueueEventMs()).toBe(time.wallMs + 100);
    time.wallMs += 99;
    expect(store.overdueRuns()).toEqual([]);
    time.wallMs += 1;
    expect(store.overdueRuns().map((run) => run.id)).toEqual([id]);
    expect(store.expireRun(id)).toMatchObject({
      value: { state: 'expired', problem: { kind: 'deadline-exceeded' }, finishedMs: time.wallMs },
    });
    expect(store.overdueRuns()).toEqual([]);
    expect(store.nextQueueEventMs()).toBeUndefined();
    expect(store.expireRun(id)).toMatchObject({ error: { kind: 'run-state-conflict' } });
  });

  it('for another attempt is passed over until it may begin, and says why it waits', () => {
    const { store, time } = open();
    const { id } = store.createRun(BENCH);
    store.startRun(id);
    const again = unwrap(store.retryRun(id, KILLED, time.wallMs + 5000));
    expect(again).toMatchObject({ state: 'queued', attempt: 2, earlierProblem: { kind: 'worker-killed' } });
    expect(again).not.toHaveProperty('problem');
    expect(store.nextQueued()).toBeUndefined();
    expect(store.nextQueueEventMs()).toBe(time.wallMs + 5000);
    time.wallMs += 5000;
    expect(store.nextQueueEventMs()).toBeUndefined();
    expect(store.nextQueued()?.id).toBe(id);
    expect(unwrap(store.startRun(id))).not.toHaveProperty('notBeforeMs');
    expect(unwrap(store.finishRun(id, {}))).toMatchObject({
      attempt: 2,
      earlierProblem: { kind: 'worker-killed' },
    });
    expect(store.retryRun(id, KILLED)).toMatchObject({ error: { kind: 'run-state-conflict' } });
  });

  it('does not wait for hours because the clock was set back', () => {
    const { store, time } = open();
    const { id } = store.createRun(BENCH);
    store.startRun(id);
    store.retryRun(id, KILLED, time.wallMs + 5000);
    time.wallMs -= 24 * 3600_000;
    expect(store.nextQueued()?.id).toBe(id);
  });

  it('is joined by an order that is more urgent, and then resumes', () => {
    const { store } = open();
    const scheduled = store.createRun({ ...BENCH, priority: 'low' });
    const other = store.createRun(BENCH);
    const key = { key: 'k', digest: 'd' };
    expect(store.joinRun(scheduled.id, { priority: 'high', key })).toMatchObject({
      value: { priority: 'high' },
    });
    expect(store.joinRun(scheduled.id, { priority: 'low' })).toMatchObject({ value: { priority: 'high' } });
    expect(store.findOrder('k')).toEqual({ digest: 'd', runId: scheduled.id });
    expect(store.nextQueued()?.id).toBe(scheduled.id);
    store.startRun(scheduled.id);
    expect(store.joinRun(scheduled.id, { priority: 'high' })).toMatchObject({
      error: { kind: 'run-state-conflict' },
    });
    store.startRun(other.id);
    expect(store.interruptRunning().map(({ state, attempt }) => `${state} ${attempt}`)).toEqual([
      'queued 2',
      'interrupted 1',
    ]);
  });
});

describe('a run whose daemon ended', () => {
  it('goes back to the queue once where it resumes', () => {
    const { store } = open();
    const { id } = store.createRun({ ...BENCH, resumes: true });
    store.startRun(id);
    expect(store.interruptRunning()).toMatchObject([
      { id, state: 'queued', attempt: 2, earlierProblem: { kind: 'interrupted' } },
    ]);
    store.startRun(id);
    expect(store.interruptRunning()).toMatchObject([{ id, state: 'interrupted', attempt: 2 }]);
  });
});
