import { describe, expect, it } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { err } from '../../../src/core/result.ts';
import { ask, ID, serve } from '../../support/server.ts';

const post = (app: Parameters<typeof ask>[0], url: string, payload: object, headers = {}) =>
  ask(app, { method: 'POST', url, payload, headers });

describe.each([
  ['/quantize', { variants: ['int8'] }, { kind: 'quantize', variants: ['int8'] }],
  [
    '/evaluate',
    { variants: ['int8'], samples: 100, threads: 0 },
    { kind: 'evaluate', variants: ['int8'], samples: 100, threads: 0 },
  ],
  [
    '/explain',
    { variants: ['int8'], samples: 8, top: 3, timeLimitSeconds: 90 },
    { kind: 'explain', variants: ['int8'], samples: 8, top: 3, timeLimitSeconds: 90 },
  ],
  ['/run', { sampling: '10hz', trace: true }, { kind: 'pipeline', sampling: '10hz', trace: true }],
  ['/bench', { scenario: 'offline' }, { kind: 'bench', scenario: 'offline' }],
])('POST %s', (url, body, order) => {
  it('orders what is asked for, and says where the run is', async () => {
    const { app, orders } = serve();
    const answer = await post(app, url, { model: 'tiny', ...body });
    expect(answer.statusCode).toBe(202);
    expect(answer.headers['location']).toBe(`/bench/${ID}`);
    expect(answer.json()).toMatchObject({ kind: order.kind, state: 'queued', request: order });
    expect(orders).toEqual([{ model: 'tiny', order }]);
  });

  it('takes how urgent it is, until when, and its key', async () => {
    const { app, orders } = serve();
    const when = { priority: 'high', deadlineSeconds: 90.5 };
    const answer = await post(app, url, { model: 'tiny', ...body, ...when }, { 'idempotency-key': 'k-1' });
    expect(answer.statusCode).toBe(202);
    expect(orders).toEqual([{ model: 'tiny', order, ...when, key: 'k-1' }]);
  });

  it.each([
    [{ priority: 'urgent' }, '/priority'],
    [{ deadlineSeconds: 0 }, '/deadlineSeconds'],
    [{ deadlineSeconds: 1e9 }, '/deadlineSeconds'],
    [{ path: '/etc/passwd' }, '/path'],
    [{ sampling: 'often' }, '/sampling'],
  ])('refuses %j', async (wrong, pointer) => {
    const { app, orders } = serve();
    const answer = await post(app, url, { model: 'tiny', ...wrong });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ type: '/problems/invalid-request', errors: [{ pointer }] });
    expect(orders).toEqual([]);
  });

  it('needs the token, and says when the queue is full', async () => {
    const { app } = serve({ order: () => err(problem('queue-full', '100 runs are waiting already')) });
    expect((await post(app, url, { model: 'tiny' }, { authorization: '' })).statusCode).toBe(401);
    const full = await post(app, url, { model: 'tiny' });
    expect(full.statusCode).toBe(429);
    expect(full.headers['retry-after']).toBe('5');
  });
});

describe('an order of another kind', () => {
  it.each([
    ['/quantize', { threads: 2 }],
    ['/run', { variants: ['int8'] }],
    ['/evaluate', { scenario: 'offline' }],
    ['/evaluate', { samples: 0 }],
    ['/explain', { threads: 1 }],
    ['/explain', { top: 0 }],
    ['/explain', { timeLimitSeconds: 0 }],
  ])('does not have the settings of the others: %s %j', async (url, body) => {
    const { app } = serve();
    expect((await post(app, url, { model: 'tiny', ...body })).statusCode).toBe(400);
  });
});
