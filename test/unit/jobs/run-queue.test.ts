import { describe, expect, it, vi } from 'vitest';
import { openStore, type Store } from '../../../src/store/store.ts';
import { agentOf, idle, statesOf } from '../../support/agent-of.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const BENCH = { kind: 'bench' } as const;
const WITHIN = { timeout: 20_000, interval: 10 } as const;

const isRunning = (store: Store, model: string) =>
  vi.waitFor(() => expect(store.listRuns({ model, state: 'running', limit: 1 })).toHaveLength(1), WITHIN);
const becomes = (store: Store, id: string, state: string) =>
  vi.waitFor(() => expect(store.getRun(id)?.state).toBe(state), WITHIN);

describe('the queue of an agent', () => {
  it.each(['crash', 'killed'])(
    'begins a run anew once whose worker ends with %s, and says so in the run',
    async (name) => {
      const { agent, store, log } = agentOf([name]);
      const heard: string[] = [];
      const { id } = unwrap(agent.order({ model: name, order: BENCH }));
      agent.followRun(
        id,
        undefined,
        ({ kind, run }) => void heard.push(`${kind} ${run.state} ${run.attempt}`),
      );
      agent.start();
      await becomes(store, id, 'failed');
      const kind = name === 'crash' ? 'worker-crashed' : 'worker-killed';
      expect(store.getRun(id)).toMatchObject({ attempt: 2, problem: { kind }, earlierProblem: { kind } });
      expect(heard).toEqual(
        expect.arrayContaining([
          'state queued 1',
          'state running 1',
          'state queued 2',
          'state running 2',
          'end failed 2',
        ]),
      );
      expect(log.filter((line) => line === `a run is begun anew: ${name}`)).not.toHaveLength(0);
      await agent.stop();
    },
  );

  it('does not begin a run anew that a worker refused', async () => {
    const { agent, store } = agentOf(['refuse']);
    agent.start();
    await idle(store);
    expect(store.listRuns({ limit: 1 })[0]).toMatchObject({ state: 'failed', attempt: 1 });
    await agent.stop();
  });

  it('goes on with others while a run waits for its other attempt', async () => {
    const { agent, store } = agentOf(['killed', 'tiny'], { retryAfterMs: 60_000 });
    const first = unwrap(agent.order({ model: 'killed', order: BENCH }));
    const second = unwrap(agent.order({ model: 'tiny', order: { kind: 'quantize' } }));
    agent.start();
    await becomes(store, second.id, 'succeeded');
    expect(agent.getRun(first.id)).toMatchObject({ state: 'queued', attempt: 2 });
    expect(agent.getRun(first.id)?.notBeforeMs).toBeGreaterThan(Date.now());
    await agent.stop();
  });

  it('takes what people order before what is scheduled, and the urgent first', async () => {
    const { agent, store, log } = agentOf(['tiny']);
    const order = (priority: 'high' | 'normal' | 'low', samples: number) =>
      unwrap(agent.order({ model: 'tiny', order: { kind: 'evaluate', samples }, priority })).id;
    const [low, normal, high] = [order('low', 1), order('normal', 2), order('high', 3)];
    agent.start();
    await idle(store);
    const finished = (id: string) => store.getRun(id)?.startedMs ?? 0;
    expect(finished(high)).toBeLessThan(finished(normal));
    expect(finished(normal)).toBeLessThan(finished(low));
    const full = store.listRuns({ kind: 'pipeline', limit: 10 });
    expect(full.map(({ priority }) => priority)).toEqual(['low']);
    for (const run of full) expect(run.startedMs).toBeGreaterThan(finished(normal));
    expect(log.filter((line) => line.startsWith('run succeeded'))).toHaveLength(4);
    await agent.stop();
  });

  it('gives an order up whose deadline comes while it waits, and one that is under way then', async () => {
    const { agent, store } = agentOf(['wait']);
    agent.start();
    await isRunning(store, 'wait');
    const waiting = unwrap(agent.order({ model: 'wait', order: BENCH, deadlineSeconds: 0.1 }));
    const lastsMs = (waiting.deadlineMs ?? 0) - waiting.createdMs;
    expect(Math.abs(lastsMs - 100)).toBeLessThan(50);
    await becomes(store, waiting.id, 'expired');
    expect(store.getRun(waiting.id)).toMatchObject({ problem: { kind: 'deadline-exceeded' } });
    expect(store.getRun(waiting.id)).not.toHaveProperty('startedMs');
    const running = store.listRuns({ state: 'running', limit: 1 })[0]?.id ?? '';
    const next = unwrap(agent.order({ model: 'wait', order: BENCH, deadlineSeconds: 3 }));
    const heard: string[] = [];
    agent.followRun(next.id, undefined, ({ kind, run }) => void heard.push(`${kind} ${run.state}`));
    agent.cancelRun(running);
    await becomes(store, next.id, 'running');
    await becomes(store, next.id, 'expired');
    await vi.waitFor(() => expect(heard.at(-1)).toBe('end expired'), WITHIN);
    expect(store.getRun(next.id)?.startedMs).toBeDefined();
    expect(agent.cancelRun(next.id)).toMatchObject({ error: { kind: 'run-ended' } });
    await agent.stop();
  });

  it('takes up what people ordered under the same id when its daemon ended, once', async () => {
    const store = unwrap(openStore(temporaryFolder()));
    const first = agentOf(['wait'], { store });
    const { id } = unwrap(first.agent.order({ model: 'wait', order: BENCH }));
    const heard: string[] = [];
    first.agent.followRun(id, undefined, ({ run }) => void heard.push(run.state));
    first.agent.start();
    await becomes(store, id, 'running');
    await first.agent.stop();
    expect(store.getRun(id)).toMatchObject({
      state: 'queued',
      attempt: 2,
      earlierProblem: { kind: 'interrupted' },
    });
    expect(heard.at(-1)).toBe('queued');
    const second = agentOf(['wait'], { store });
    second.agent.start();
    await becomes(store, id, 'running');
    await second.agent.stop();
    expect(store.getRun(id)).toMatchObject({ state: 'interrupted', attempt: 2 });
  });

  it('notes what a full run was made from when somebody ordered it, so that changes are seen', async () => {
    const { agent, store } = agentOf(['tiny']);
    const { id } = unwrap(agent.order({ model: 'tiny', order: { kind: 'pipeline' } }));
    agent.start();
    await becomes(store, id, 'succeeded');
    expect(store.getRun(id)).toMatchObject({
      request: { kind: 'pipeline', basis: { model: expect.any(String) } },
    });
    // The first run of a model is ordered by the schedule as well, unless one waits already.
    expect(statesOf(store)).toEqual(['tiny pipeline succeeded']);
    await agent.stop();
  });
});

describe('orders that want the same', () => {
  const idsOf = (
    agent: ReturnType<typeof agentOf>['agent'],
    ...orders: Parameters<typeof agent.order>[0][]
  ) => orders.map((order) => unwrap(agent.order(order)).id);

  it('are one run while it waits, where variants are made or judged, and for a full run', () => {
    const { agent } = agentOf(['tiny']);
    for (const kind of ['quantize', 'evaluate', 'pipeline'] as const) {
      const order = { model: 'tiny', order: { kind } } as const;
      const [one, other] = idsOf(agent, order, order);
      expect(other).toBe(one);
    }
    const variants = { kind: 'evaluate', variants: ['int8', 'fp32'], threads: 1 } as const;
    const [one, other] = idsOf(
      agent,
      { model: 'tiny', order: variants },
      { model: 'tiny', order: { threads: 1, variants: ['fp32', 'int8'], kind: 'evaluate' } },
    );
    expect(other).toBe(one);
  });

  it('take the higher of their priorities, and are both known by their keys', () => {
    const { agent } = agentOf(['tiny']);
    const order = { model: 'tiny', order: { kind: 'quantize' } } as const;
    const first = unwrap(agent.order({ ...order, priority: 'low', key: 'a' }));
    const second = unwrap(agent.order({ ...order, priority: 'high', key: 'b' }));
    expect(second).toMatchObject({ id: first.id, priority: 'high' });
    expect(unwrap(agent.order({ ...order, priority: 'high', key: 'b' })).id).toBe(first.id);
    expect(unwrap(agent.order({ ...order, priority: 'low', key: 'a' })).id).toBe(first.id);
  });

  it('are two where they measure, differ, or have a deadline', () => {
    const { agent } = agentOf(['tiny']);
    const orders = [
      { model: 'tiny', order: { kind: 'bench' } },
      { model: 'tiny', order: { kind: 'bench' } },
      { model: 'tiny', order: { kind: 'evaluate' } },
      { model: 'tiny', order: { kind: 'evaluate', samples: 10 } },
      { model: 'tiny', order: { kind: 'evaluate' }, deadlineSeconds: 60 },
      { model: 'tiny', order: { kind: 'quantize' } },
    ] as const;
    expect(new Set(idsOf(agent, ...orders)).size).toBe(orders.length);
    const waiting = { model: 'tiny', order: { kind: 'pipeline' }, deadlineSeconds: 60 } as const;
    const [withDeadline, without] = idsOf(agent, waiting, { model: 'tiny', order: { kind: 'pipeline' } });
    expect(without).not.toBe(withDeadline);
  });

  it('are carried out: a quantization makes variants only, an evaluation judges them', async () => {
    const { agent, store } = agentOf(['tiny']);
    const [quantize = '', evaluate = ''] = idsOf(
      agent,
      { model: 'tiny', order: { kind: 'quantize', variants: ['int8'] } },
      { model: 'tiny', order: { kind: 'evaluate' } },
    );
    agent.start();
    await becomes(store, evaluate, 'succeeded');
    const made = store.getRun(quantize)?.result;
    expect(made).toMatchObject({
      variants: [{ variant: 'fp32' }, { variant: 'int8', bench: [], quantization: { reused: false } }],
    });
    expect(made).not.toMatchObject({ variants: [{}, { evaluation: expect.anything() }] });
    expect(store.getRun(evaluate)?.result).toMatchObject({
      variants: [
        { variant: 'fp32' },
        {
          variant: 'int8',
          bench: [],
          evaluation: { verdict: 'non_inferior' },
          quantization: { reused: true },
        },
      ],
    });
    await idle(store);
    await agent.stop();
  });
});
