import { describe, expect, it, vi } from 'vitest';
import type { Agent } from '../../../src/jobs/agent.ts';
import { agentOf, statesOf } from '../../support/agent-of.ts';
import { unwrap } from '../../support/unwrap.ts';

/** Waits until a run is under way, and gives its id. */
async function runningOf(agent: Agent): Promise<string> {
  return vi.waitFor(
    () => {
      const [run] = agent.listRuns({ state: 'running', limit: 1 });
      expect(run).toBeDefined();
      return run?.id ?? '';
    },
    { timeout: 20_000 },
  );
}

describe('Agent.stop', { timeout: 120_000 }, () => {
  it('lets the run under way end within its time, and begins no other', async () => {
    const { agent, store } = agentOf(['tiny']);
    agent.start();
    await runningOf(agent);
    unwrap(agent.order({ model: 'tiny', order: { kind: 'bench' } }));
    await agent.stop(60_000);
    expect(statesOf(store)).toEqual(['tiny pipeline succeeded', 'tiny bench queued']);
  });

  it('interrupts a run that does not end in time, and tells its followers', async () => {
    const { agent, store } = agentOf(['wait']);
    agent.start();
    const id = await runningOf(agent);
    const news: string[] = [];
    agent.followRun(id, undefined, ({ kind, run }) => news.push(`${kind} ${run.state}`));
    await agent.stop(50);
    expect(statesOf(store)).toEqual(['wait pipeline interrupted']);
    expect(news.at(-1)).toBe('end interrupted');
  });

  it('takes no orders while it waits for the run under way, and is not ready', async () => {
    const { agent, store, setSampler } = agentOf(['wait']);
    setSampler('up');
    agent.start();
    await runningOf(agent);
    expect(agent.isReady()).toBe(true);
    const stopped = agent.stop(200);
    expect([agent.isReady(), agent.isStopping()]).toEqual([false, true]);
    expect(agent.order({ model: 'wait', order: { kind: 'bench' } })).toMatchObject({
      error: { kind: 'daemon-stopping' },
    });
    await stopped;
    expect(store.countRuns()).toEqual({ interrupted: 1 });
  });

  it('does not wait where nothing runs', async () => {
    const { agent } = agentOf([]);
    agent.start();
    const before = performance.now();
    await agent.stop(60_000);
    expect(performance.now() - before).toBeLessThan(30_000);
  });
});
