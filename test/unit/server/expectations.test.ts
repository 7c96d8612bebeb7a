import { describe, expect, it, vi } from 'vitest';
import type { Agent } from '../../../src/jobs/agent.ts';
import type { RunNews } from '../../../src/jobs/run-feed.ts';
import type { RunView } from '../../../src/jobs/run-view.ts';
import { preferredWaitSeconds } from '../../../src/server/run-waits.ts';
import { ask, ID, serve } from '../../support/server.ts';

type PlanOf = Agent['outlook']['planOf'];

const plan = {
  model: 'tiny',
  variants: ['fp32', 'int8'],
  measurements: [
    {
      suite: 'profile',
      measurement: 'single-stream',
      scenario: 'single-stream',
      device: 'cpu',
      batch: 1,
      threads: 1,
      minDurationSeconds: 10,
    },
  ],
  traced: false,
  estimate: { seconds: 40, basis: 'plan' as const },
  queueLength: 2,
};
const outlookOf = (more: Partial<Pick<Agent['outlook'], 'etaOf' | 'planOf'>>) => ({
  etaOf: () => undefined,
  planOf: (() => ({ ok: true, value: plan })) as PlanOf,
  ...more,
});
const bench = { method: 'POST', url: '/bench', payload: { model: 'tiny' } } as const;
const running: RunView = {
  id: ID,
  kind: 'bench',
  model: 'tiny',
  state: 'running',
  priority: 'normal',
  attempt: 1,
  request: null,
  createdMs: 0,
};

describe('POST /bench?dryRun=true', () => {
  it('says what would be done, and orders nothing', async () => {
    const planOf = vi.fn(() => ({ ok: true, value: plan }) as const);
    const { app, orders } = serve({ outlook: outlookOf({ planOf }) });
    const payload = { model: 'tiny', variants: ['int8'] };
    const answer = await ask(app, { ...bench, url: '/bench?dryRun=true', payload });
    expect([answer.statusCode, answer.json()]).toEqual([200, plan]);
    expect(planOf).toHaveBeenCalledWith({ model: 'tiny', order: { kind: 'bench', variants: ['int8'] } });
    expect(orders).toEqual([]);
  });

  it('refuses what an order would be refused for', async () => {
    const problem = { kind: 'unknown-suite', message: 'no', place: { field: '/suite' } };
    const { app } = serve({ outlook: outlookOf({ planOf: () => ({ ok: false, error: problem }) }) });
    const answer = await ask(app, { ...bench, url: '/bench?dryRun=true' });
    expect([answer.statusCode, answer.json().errors[0].pointer]).toEqual([422, '/suite']);
  });

  it('orders with dryRun=false, and takes no other word', async () => {
    const { app, orders } = serve();
    expect((await ask(app, { ...bench, url: '/bench?dryRun=false' })).statusCode).toBe(202);
    expect(orders).toHaveLength(1);
    const answer = await ask(app, { ...bench, url: '/bench?dryRun=yes' });
    expect([answer.statusCode, answer.json().errors[0].pointer]).toEqual([400, '/dryRun']);
  });
});

describe('when a run is over', () => {
  it('is told with it, and how that is known', async () => {
    const outlook = outlookOf({ etaOf: () => ({ etaSeconds: 12, etaBasis: 'history' }) });
    const { app } = serve({ getRun: () => running, outlook });
    expect((await ask(app, `/bench/${ID}`)).json()).toMatchObject({ etaSeconds: 12, etaBasis: 'history' });
    expect((await ask(app, bench)).json()).toMatchObject({ etaSeconds: 12 });
  });
});

describe('Prefer: wait', () => {
  /** A run that ends when it is told to. */
  function serveRunning() {
    const listeners = new Set<(news: RunNews) => void>();
    let run: RunView = running;
    const served = serve({
      getRun: () => run,
      followRun: (_id, _after, listener) => {
        listeners.add(listener);
        listener({ id: '1', kind: run === running ? 'state' : 'end', run });
        return () => listeners.delete(listener);
      },
    });
    const end = () => {
      run = { ...running, state: 'failed', problem: { kind: 'worker-crashed', message: 'it crashed' } };
      for (const listener of listeners) listener({ id: '2', kind: 'end', run });
    };
    return { ...served, end, listeners };
  }

  it('answers an order with the run that is over', async () => {
    const { app, end, listeners } = serveRunning();
    const asked = ask(app, { ...bench, headers: { prefer: 'respond-async, wait=30' } });
    await vi.waitFor(() => expect(listeners.size).toBe(1));
    end();
    const answer = await asked;
    expect([answer.statusCode, answer.json().state]).toEqual([200, 'failed']);
    expect(answer.headers).toMatchObject({ 'preference-applied': 'wait=30', location: `/bench/${ID}` });
    expect(listeners.size).toBe(0);
  });

  it('answers as always when that takes longer', async () => {
    const { app, listeners } = serveRunning();
    const answer = await ask(app, { ...bench, headers: { prefer: 'wait=0' } });
    expect([answer.statusCode, answer.headers['preference-applied'], listeners.size]).toEqual([
      202,
      'wait=0',
      0,
    ]);
  });

  it('lets a reader of a run wait, too, and does not keep a server from closing', async () => {
    const { app, listeners } = serveRunning();
    const asked = ask(app, { url: `/bench/${ID}`, headers: { prefer: 'wait=30' } });
    await vi.waitFor(() => expect(listeners.size).toBe(1));
    await app.close();
    expect((await asked).json()).toMatchObject({ state: 'running' });
  });

  it('does not wait for what is over, or is not there', async () => {
    const { app, end } = serveRunning();
    end();
    const over = await ask(app, { url: `/bench/${ID}`, headers: { prefer: 'wait=30' } });
    expect(over.json()).toMatchObject({ state: 'failed' });
    const { app: other } = serve({ getRun: () => undefined });
    expect((await ask(other, { url: '/bench/x', headers: { prefer: 'wait=30' } })).statusCode).toBe(404);
  });

  it.each([
    ['wait=5', 5],
    ['wait="5"', 5],
    ['respond-async; wait = 31', 30],
    ['WAIT=1, x', 1],
    ['wait=-1', undefined],
    ['wait=5s', undefined],
    ['await=5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j as %j', (header, seconds) => {
    expect(preferredWaitSeconds(header)).toBe(seconds);
  });
});

describe('GET /probe', () => {
  const exposition = { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'probe_success 1\n' };

  it('answers with the exposition, half a second before the scraper gives up', async () => {
    const probe = vi.fn(async () => ({ ok: true, value: exposition }) as const);
    const { app } = serve({ prober: { probe } });
    const answer = await ask(app, {
      url: '/probe?model=tiny&variant=int8',
      headers: { 'x-prometheus-scrape-timeout-seconds': '5.000000' },
    });
    expect([answer.statusCode, answer.body]).toEqual([200, 'probe_success 1\n']);
    expect(answer.headers).toMatchObject({
      'content-type': exposition.contentType,
      'cache-control': 'no-store',
    });
    await ask(app, '/probe?model=tiny');
    expect(probe.mock.calls).toEqual([
      [{ model: 'tiny', variant: 'int8', budgetSeconds: 4.5 }],
      [{ model: 'tiny', budgetSeconds: 9.5 }],
    ]);
  });

  it('needs a credential even on loopback, as a page could make a browser send it', async () => {
    const probe = vi.fn(async () => ({ ok: true, value: exposition }) as const);
    const { app } = serve({ prober: { probe } });
    const answer = await app.inject('/probe?model=tiny');
    expect([answer.statusCode, probe.mock.calls]).toEqual([401, []]);
  });

  it.each([
    ['/probe', '5', '/model'],
    ['/probe?model=tiny&target=x', '5', '/target'],
    ['/probe?model=tiny', 'soon', '/x-prometheus-scrape-timeout-seconds'],
  ])('refuses %s with a timeout of %s', async (url, timeout, pointer) => {
    const answer = await ask(serve().app, {
      url,
      headers: { 'x-prometheus-scrape-timeout-seconds': timeout },
    });
    expect([answer.statusCode, answer.json().errors[0].pointer]).toEqual([400, pointer]);
  });
});
