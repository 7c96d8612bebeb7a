import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import { RunFeed } from '../../../src/jobs/run-feed.ts';
import type { RunView } from '../../../src/jobs/run-view.ts';
import { ask, ID, serve } from '../../support/server.ts';

const run = (state: RunView['state']): RunView => ({
  id: ID,
  kind: 'bench',
  model: 'tiny',
  state,
  request: { kind: 'bench' },
  priority: 'normal',
  attempt: 1,
  createdMs: 0,
  ...(state === 'running' ? { progress: { phase: 'bench', done: 3, total: 8, unit: 'turns' } } : {}),
});

/** A daemon at work on one run, asked over a real connection. */
async function listening(first: RunView = run('queued')) {
  const feed = new RunFeed(systemClock);
  const followRun = (id: string, after: string | undefined, listener: Parameters<RunFeed['follow']>[2]) =>
    id === ID ? feed.follow(first, after, listener) : undefined;
  const { app } = serve({ followRun });
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/bench/${ID}/events`;
  return { app, feed, url };
}

/** The events of a stream so far, and the rest as they come. */
async function* eventsOf(answer: Response): AsyncGenerator<Record<string, string>> {
  let rest = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks)
      yield Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
  }
}

describe('GET /bench/{id}/events', () => {
  it('tells what happens to a run, and ends with it', async () => {
    const { feed, url } = await listening();
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('x-accel-buffering')).toBe('no');
    const events = eventsOf(answer);
    expect((await events.next()).value).toMatchObject({
      event: 'state',
      data: expect.stringContaining('"queued"'),
    });
    feed.tell(run('running'));
    expect((await events.next()).value).toMatchObject({
      event: 'state',
      data: expect.stringContaining('"running"'),
    });
    feed.tellProgress(run('running'));
    const { event, data } = (await events.next()).value ?? {};
    expect([event, JSON.parse(data ?? '')]).toEqual([
      'progress',
      { phase: 'bench', done: 3, total: 8, unit: 'turns' },
    ]);
    feed.tell({ ...run('succeeded'), result: { large: true } });
    const end = (await events.next()).value ?? {};
    expect(end).toMatchObject({ event: 'end' });
    expect(JSON.parse(end['data'] ?? '')).not.toHaveProperty('result');
    expect((await events.next()).done).toBe(true);
  });

  it('goes on where a follower that lost its connection was', async () => {
    const { feed, url } = await listening();
    const events = eventsOf(await fetch(url));
    await events.next();
    feed.tell(run('running'));
    const seen = (await events.next()).value?.['id'] ?? '';
    feed.tellProgress(run('running'));
    feed.tell(run('failed'));
    const again = eventsOf(await fetch(url, { headers: { 'last-event-id': seen } }));
    const missed: (string | undefined)[] = [];
    for await (const { event } of again) missed.push(event);
    expect(missed).toEqual(['progress', 'end']);
  });

  it('ends at once for a run that is over', async () => {
    const { url } = await listening(run('cancelled'));
    expect(await (await fetch(url)).text()).toMatch(/^id: \S+\nevent: end\ndata: \{.*"cancelled".*\}\n\n$/);
  });

  it('serves hundreds, and no more than it can', async () => {
    const { feed, url } = await listening();
    const many = await Promise.all(Array.from({ length: 512 }, () => fetch(url)));
    expect(many.every(({ status }) => status === 200)).toBe(true);
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    await refused.text();
    feed.tell(run('succeeded'));
    const texts = await Promise.all(many.map((answer) => answer.text()));
    expect(texts.every((text) => text.includes('event: end'))).toBe(true);
    const after = await fetch(url);
    expect(after.status).toBe(200);
    await after.body?.cancel();
  });

  it('says that there is no such run, and takes no other method', async () => {
    const { url } = await listening();
    const none = await fetch(url.replace(ID, '01M83MHX4BNBFSWHZ8PWNPP7QX'));
    expect([none.status, ((await none.json()) as { type: string }).type]).toEqual([
      404,
      '/problems/unknown-run',
    ]);
    expect((await ask(serve().app, { method: 'POST', url: `/bench/${ID}/events` })).statusCode).toBe(405);
  });

  it('does not keep a server from closing', async () => {
    const { app, url } = await listening();
    const answer = await fetch(url);
    await app.close();
    expect(await answer.text()).toContain('event: state');
  });
});

describe('DELETE /bench/{id}', () => {
  it('removes a run that is over, and says nothing more', async () => {
    const removed: string[] = [];
    const { app } = serve({
      removeRun: async (id) => {
        removed.push(id);
        return ok(undefined);
      },
    });
    const answer = await ask(app, { method: 'DELETE', url: `/bench/${ID}` });
    expect([answer.statusCode, answer.body, removed]).toEqual([204, '', [ID]]);
  });

  it.each([
    ['unknown-run', 404],
    ['run-not-ended', 409],
    ['store-not-written', 507],
  ])('answers %s with %i', async (kind, status) => {
    const { app } = serve({ removeRun: async () => err(problem(kind, 'no')) });
    const answer = await ask(app, { method: 'DELETE', url: `/bench/${ID}` });
    expect(answer.statusCode).toBe(status);
  });

  it('needs the token', async () => {
    const { app } = serve();
    expect((await app.inject({ method: 'DELETE', url: `/bench/${ID}` })).statusCode).toBe(401);
  });
});

describe('POST /bench/{id}/cancel', () => {
  const cancel = { method: 'POST', url: `/bench/${ID}/cancel` } as const;

  it('answers with the run, which may still be ending', async () => {
    const { app } = serve({ cancelRun: () => ok({ ...run('running'), cancelling: true }) });
    const answer = await ask(app, cancel);
    expect([answer.statusCode, answer.headers['location']]).toEqual([202, `/bench/${ID}`]);
    expect(answer.json()).toMatchObject({ state: 'running', cancelling: true });
  });

  it.each([
    ['run-ended', 409],
    ['unknown-run', 404],
    ['store-not-written', 507],
  ])('answers %s with %i', async (kind, status) => {
    const { app } = serve({ cancelRun: () => err(problem(kind, 'no')) });
    expect((await ask(app, cancel)).statusCode).toBe(status);
  });

  it('takes no other method', async () => {
    const answer = await ask(serve().app, { method: 'GET', url: cancel.url });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'POST']);
  });
});

describe('the Idempotency-Key of an order', () => {
  const order = { method: 'POST', url: '/bench', payload: { model: 'tiny' } } as const;

  it('goes with the order', async () => {
    const { app, orders } = serve();
    await ask(app, { ...order, headers: { 'idempotency-key': 'nightly-2026-11-26' } });
    await ask(app, order);
    expect(orders.map(({ key }) => key)).toEqual(['nightly-2026-11-26', undefined]);
  });

  it.each(['', 'with space', 'x'.repeat(256), 'ü'])('is refused as %j', async (key) => {
    const { app, orders } = serve();
    const answer = await ask(app, { ...order, headers: { 'idempotency-key': key } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ pointer: '/idempotency-key' }] });
    expect(orders).toEqual([]);
  });
});
