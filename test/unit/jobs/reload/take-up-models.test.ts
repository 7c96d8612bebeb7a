import { describe, expect, it, vi } from 'vitest';
import { orphanedOrder } from '../../../../src/jobs/reload/orphaned-orders.ts';
import { readBasis } from '../../../../src/jobs/run-basis.ts';
import { agentOf, idle, statesOf } from '../../../support/agent-of.ts';
import { profileOf } from '../../../support/profile.ts';
import { unwrap } from '../../../support/unwrap.ts';

describe('Agent.takeUp', () => {
  it('fails what waits for a model, a variant or a suite that is gone, and leaves the rest waiting', async () => {
    const { agent, store } = agentOf(['tiny', 'small']);
    const [variant = { name: '' }] = profileOf('small').variants;
    const gone = unwrap(agent.order({ model: 'tiny', order: { kind: 'bench' } }));
    const changed = unwrap(
      agent.order({ model: 'small', order: { kind: 'bench', variants: [variant.name] } }),
    );
    const waiting = unwrap(agent.order({ model: 'small', order: { kind: 'bench', threads: 2 } }));
    const news: string[] = [];
    agent.followRun(gone.id, undefined, ({ kind, run }) => news.push(`${kind} ${run.state}`));
    const changes = agent.takeUp([profileOf('small', { variants: [] }), profileOf('new')]);
    expect(changes).toEqual({ added: ['new'], removed: ['tiny'], changed: ['small'] });
    expect(store.getRun(gone.id)).toMatchObject({ state: 'failed', problem: { kind: 'unknown-model' } });
    expect(store.getRun(changed.id)).toMatchObject({ state: 'failed', problem: { kind: 'unknown-variant' } });
    expect(store.getRun(waiting.id)).toMatchObject({ state: 'queued' });
    expect(news.at(-1)).toBe('end failed');
    expect(agent.profiles.map(({ name }) => name)).toEqual(['small', 'new']);
    await agent.stop();
    expect(statesOf(store)).toContain('small bench queued');
  });
});

describe('A full run that waits while its profile changes', { timeout: 60_000 }, () => {
  it('is made from the new profile, and notes that, so that no other follows', async () => {
    const { agent, store } = agentOf(['wait', 'tiny']);
    agent.start();
    await vi.waitFor(() => expect(store.countRuns()).toMatchObject({ queued: 1, running: 1 }), {
      timeout: 20_000,
    });
    const changed = profileOf('tiny', { schedule: { jitterSeconds: 7, onChange: true } });
    agent.takeUp([profileOf('wait'), changed]);
    const [running] = store.listRuns({ state: 'running', limit: 1 });
    unwrap(agent.cancelRun(running?.id ?? ''));
    await idle(store);
    const { profile } = await readBasis(changed, undefined);
    const runs = store.listRuns({ model: 'tiny', limit: 9 });
    expect(runs.map(({ state, request }) => ({ state, request }))).toMatchObject([
      { state: 'succeeded', request: { basis: { profile } } },
    ]);
    await agent.stop();
  });
});

describe('orphanedOrder', () => {
  const models = { get: (name: string) => (name === 'tiny' ? profileOf('tiny') : undefined) };

  it.each([
    ['tiny', { kind: 'pipeline' }, undefined],
    ['tiny', { kind: 'bench', variants: ['fp32'] }, undefined],
    ['tiny', { kind: 'bench', suite: 'nightly' }, 'unknown-suite'],
    ['tiny', { kind: 'evaluate', variants: ['int3'] }, 'unknown-variant'],
    ['other', { kind: 'pipeline' }, 'unknown-model'],
  ])('says of an order for %s (%j): %s', (model, request, kind) => {
    expect(orphanedOrder({ model, request }, models)?.kind).toBe(kind);
  });
});
