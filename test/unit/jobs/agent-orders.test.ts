import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { agentOf, idle, statesOf } from '../../support/agent-of.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

describe('Agent', () => {
  it('takes an order that comes again under its key for the same', async () => {
    const { agent, store } = agentOf(['tiny']);
    const order = { model: 'tiny', order: { kind: 'bench', scenario: 'offline' }, key: 'nightly-1' } as const;
    const first = unwrap(agent.order(order));
    expect(unwrap(agent.order(order)).id).toBe(first.id);
    agent.start();
    await idle(store);
    expect(unwrap(agent.order(order))).toMatchObject({ id: first.id, state: 'succeeded' });
    expect(unwrap(agent.order({ ...order, key: 'nightly-2' })).id).not.toBe(first.id);
    const other = { ...order, order: { kind: 'bench', scenario: 'server' } } as const;
    expect(agent.order(other)).toMatchObject({ error: { kind: 'key-used-otherwise' } });
    expect(agent.order({ ...order, model: 'huge' })).toMatchObject({
      error: { kind: 'key-used-otherwise' },
    });
    await agent.stop();
  });

  it('refuses an order that cannot be carried out, and takes it under its key once it can', () => {
    const store = unwrap(openStore(temporaryFolder()));
    const order = { model: 'tiny', order: { kind: 'bench' }, key: 'k' } as const;
    expect(agentOf([], { store }).agent.order(order)).toMatchObject({
      error: { kind: 'unknown-model' },
    });
    expect(agentOf(['tiny'], { store }).agent.order(order)).toMatchObject({ ok: true });
  });

  it('cancels a run that waits at once', async () => {
    const { agent, store } = agentOf(['wait']);
    agent.start();
    await vi.waitFor(() => expect(agent.listRuns({ state: 'running', limit: 1 })).toHaveLength(1));
    const { id } = unwrap(agent.order({ model: 'wait', order: { kind: 'bench' } }));
    expect(unwrap(agent.cancelRun(id)).state).toBe('cancelled');
    expect(unwrap(agent.cancelRun(id)).state).toBe('cancelled');
    await agent.stop();
    expect(statesOf(store)).toEqual(['wait pipeline interrupted', 'wait bench cancelled']);
  });

  it('cancels the run under way, whose processes end, and goes on with the next', async () => {
    const { agent, store } = agentOf(['wait', 'tiny']);
    agent.start();
    await vi.waitFor(() => expect(agent.listRuns({ state: 'running', limit: 1 })).toHaveLength(1));
    const [running] = agent.listRuns({ state: 'running', limit: 1 });
    const id = running?.id ?? '';
    expect(unwrap(agent.cancelRun(id))).toMatchObject({ state: 'running', cancelling: true });
    await idle(store);
    expect(statesOf(store)).toEqual(['wait pipeline cancelled', 'tiny pipeline succeeded']);
    expect(agent.getRun(id)).not.toHaveProperty('cancelling');
    await agent.stop();
  });

  it('does not cancel what is over, or is not there', async () => {
    const { agent, store } = agentOf(['tiny']);
    agent.start();
    await idle(store);
    const [run] = agent.listRuns({ limit: 1 });
    expect(agent.cancelRun(run?.id ?? '')).toMatchObject({ error: { kind: 'run-ended' } });
    expect(agent.cancelRun('01M83MHX4BNBFSWHZ8PWNPP7QX')).toMatchObject({ error: { kind: 'unknown-run' } });
    expect(statesOf(store)).toEqual(['tiny pipeline succeeded']);
    await agent.stop();
  });

  it('tells followers of a run how it fares, to its end', async () => {
    const { agent, store } = agentOf(['tiny']);
    const ordered = unwrap(agent.order({ model: 'tiny', order: { kind: 'bench' } }));
    const heard: string[] = [];
    agent.followRun(ordered.id, undefined, ({ kind, run }) => void heard.push(`${kind} ${run.state}`));
    agent.start();
    await idle(store);
    expect(heard[0]).toBe('state queued');
    expect(heard).toContain('state running');
    expect(heard.filter((line) => line.startsWith('end'))).toEqual(['end succeeded']);
    expect(heard.at(-1)).toBe('end succeeded');
    const late: string[] = [];
    agent.followRun(ordered.id, undefined, ({ kind }) => void late.push(kind));
    expect(late).toEqual(['end']);
    expect(agent.followRun('01M83MHX4BNBFSWHZ8PWNPP7QX', undefined, () => {})).toBeUndefined();
    await agent.stop();
  });
});
