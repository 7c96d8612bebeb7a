import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient, type RunEvent } from '../../../src/client/client.ts';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import type { RunNews } from '../../../src/jobs/run-feed.ts';
import type { RunView } from '../../../src/jobs/run-view.ts';
import { ID, serve, TOKEN } from '../../support/server.ts';

const run = (state: RunView['state']): RunView => ({
  id: ID,
  kind: 'bench',
  model: 'tiny',
  state,
  request: { kind: 'bench' },
  priority: 'normal',
  attempt: 1,
  createdMs: 0,
});

async function clientOf(surface: Parameters<typeof serve>[0] = {}, token: string | undefined = TOKEN) {
  const { app, orders, queries } = serve(surface);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { client: createClient({ url, ...(token === '' ? {} : { token }) }), orders, queries };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('createClient', () => {
  it('orders, with a key, and gives the run', async () => {
    const { client, orders } = await clientOf();
    const ordered = await client.evaluate(
      { model: 'tiny', variants: ['int8'], priority: 'high' },
      { idempotencyKey: 'k' },
    );
    expect(ordered).toMatchObject({ ok: true, value: { id: ID, kind: 'evaluate', state: 'queued' } });
    expect(orders).toEqual([
      { model: 'tiny', order: { kind: 'evaluate', variants: ['int8'] }, priority: 'high', key: 'k' },
    ]);
    for (const order of [client.bench, client.quantize, client.explain, client.run])
      expect(await order({ model: 'tiny' })).toMatchObject({ ok: true });
    expect(orders.map(({ order }) => order.kind)).toEqual([
      'evaluate',
      'bench',
      'quantize',
      'explain',
      'pipeline',
    ]);
  });

  it('lists and reads runs and models', async () => {
    const { client, queries } = await clientOf();
    expect(await client.listRuns({ state: 'succeeded', limit: '1' })).toMatchObject({
      ok: true,
      value: [{ id: ID }],
    });
    expect(queries[0]).toMatchObject({ state: 'succeeded' });
    expect(await client.getRun(ID)).toMatchObject({ ok: true, value: { id: ID, state: 'succeeded' } });
    expect(await client.listModels()).toEqual({ ok: true, value: [] });
  });

  it('lists all models, however many pages they take', async () => {
    const names = Array.from({ length: 450 }, (_, index) => `m${String(index).padStart(3, '0')}`);
    const { client } = await clientOf({
      listModels: () => names.map((name) => ({ name, task: 'fidelity', variants: [] })),
    });
    const listed = await client.listModels();
    expect(listed.ok && listed.value.map(({ name }) => name)).toEqual(names);
  });

  it('removes runs, and says why one stays', async () => {
    const removed: string[] = [];
    const { client } = await clientOf({
      removeRun: async (id) => {
        removed.push(id);
        return removed.length === 1 ? ok(undefined) : err(problem('run-not-ended', 'the run waits'));
      },
    });
    expect(await client.removeRun(ID)).toEqual({ ok: true, value: undefined });
    expect(await client.removeRun(ID)).toMatchObject({ error: { kind: 'run-not-ended', status: 409 } });
    expect(removed).toEqual([ID, ID]);
  });

  it('gives what the daemon refuses as a problem with its kind', async () => {
    const { client } = await clientOf();
    expect(await client.getRun('../settings')).toMatchObject({
      ok: false,
      error: { kind: 'unknown-run', status: 404 },
    });
    expect(await client.cancelRun(ID)).toMatchObject({
      ok: false,
      error: { kind: 'run-ended', status: 409 },
    });
    const wrong = await client.bench({ model: 'tiny', durationSeconds: -1 });
    expect(wrong).toMatchObject({
      error: { kind: 'invalid-request', details: { errors: [{ pointer: '/durationSeconds' }] } },
    });
    const { client: stranger } = await clientOf({}, '');
    expect(await stranger.bench({ model: 'tiny' })).toMatchObject({
      error: { kind: 'unauthorized', status: 401 },
    });
  });

  it('says where no daemon answers, and where something else does', async () => {
    const nobody = createClient({ url: 'http://127.0.0.1:1' });
    expect(await nobody.listRuns()).toMatchObject({ ok: false, error: { kind: 'daemon-unreachable' } });
    const proxy = createHttpServer((_request, reply) => reply.writeHead(502).end('<h1>Bad Gateway</h1>'));
    const other = createClient({ url: await listen(proxy) });
    expect(await other.listRuns()).toMatchObject({
      ok: false,
      error: { kind: 'not-understood', status: 502 },
    });
  });
});

describe('following a run', () => {
  it('tells what happens, and gives the run when it has ended', async () => {
    const news: RunNews[] = [
      { id: 'a-1', kind: 'state', run: run('running') },
      {
        id: 'a-2',
        kind: 'progress',
        run: { ...run('running'), progress: { phase: 'load', done: 1, unit: 'files' } },
      },
      { id: 'a-3', kind: 'end', run: run('succeeded') },
    ];
    const { client } = await clientOf({
      followRun: (_id, _after, listener) => {
        for (const one of news) listener(one);
        return () => {};
      },
    });
    const heard: RunEvent[] = [];
    const ended = await client.follow(ID, { onEvent: (event) => heard.push(event) });
    expect(ended).toMatchObject({ ok: true, value: { id: ID, result: {} } });
    expect(heard).toMatchObject([
      { kind: 'state', run: { state: 'running' } },
      { kind: 'progress', progress: { phase: 'load', done: 1 } },
      { kind: 'end', run: { state: 'succeeded' } },
    ]);
  });

  it('goes on where it was when the connection breaks', async () => {
    const asked: (string | undefined)[] = [];
    const server = createHttpServer((request, reply) => {
      if (!request.url?.endsWith('/events')) return reply.end(JSON.stringify({ id: ID, state: 'succeeded' }));
      asked.push(request.headers['last-event-id'] as string | undefined);
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      if (asked.length > 1) return reply.end('id: 8\nevent: end\ndata: {"state":"succeeded"}\n\n');
      reply.write('id: 7\nevent: state\ndata: {"state":"run');
      reply.write('ning"}\n\n: still here\n\n', () => request.socket.destroy());
      return reply;
    });
    const client = createClient({ url: await listen(server) });
    const states: string[] = [];
    const ended = await client.follow(ID, {
      onEvent: (event) => void (event.kind !== 'progress' && states.push(event.run.state)),
    });
    expect(ended).toMatchObject({ ok: true, value: { state: 'succeeded' } });
    expect(asked).toEqual([undefined, '7']);
    expect(states).toEqual(['running', 'succeeded']);
  });

  it('gives up when nobody answers for long, when asked to, and where there is no such run', async () => {
    const nobody = createClient({ url: 'http://127.0.0.1:1' });
    expect(await nobody.follow(ID, { patienceMs: 10 })).toMatchObject({
      error: { kind: 'daemon-unreachable' },
    });
    const { client } = await clientOf();
    expect(await client.follow(ID)).toMatchObject({ error: { kind: 'unknown-run' } });
    expect(await client.follow(ID, { signal: AbortSignal.abort() })).toMatchObject({
      error: { kind: 'aborted' },
    });
  });
});
