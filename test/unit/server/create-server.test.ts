import type { InjectOptions } from 'fastify';
import { describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../src/core/log.ts';
import { problem } from '../../../src/core/problem.ts';
import { err } from '../../../src/core/result.ts';
import type { Agent } from '../../../src/jobs/agent.ts';
import { ask, ID, serve } from '../../support/server.ts';

const post = (payload: unknown): InjectOptions => ({
  method: 'POST',
  url: '/bench',
  payload: payload as object,
});

describe('the probes', () => {
  it('tell what the daemon is and has', async () => {
    const { app } = serve();
    const answer = await ask(app, '/');
    expect(answer.json()).toMatchObject({ name: 'ptq-agent', version: '1.2.3', models: ['tiny'] });
    expect(answer.headers['content-type']).toContain('application/json');
  });

  it('serve metrics as text', async () => {
    const { app } = serve();
    const answer = await ask(app, '/metrics');
    expect(answer.body).toBe('ptq_jobs 1\n');
    expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4');
  });

  it('say that the process is alive, and whether it is ready', async () => {
    const { app } = serve();
    expect((await ask(app, '/-/healthy')).json()).toEqual({ status: 'healthy' });
    expect((await ask(app, '/-/ready')).json()).toEqual({ status: 'ready' });
    const starting = await ask(serve({ isReady: () => false }).app, '/-/ready');
    expect([starting.statusCode, starting.json()]).toEqual([503, { status: 'starting' }]);
  });

  it.each(['/', '/metrics', '/-/healthy', '/-/ready', '/bench', `/bench/${ID}`])(
    'answer HEAD %s like GET, without a body',
    async (url) => {
      const { app } = serve();
      const head = await ask(app, { method: 'HEAD', url });
      const get = await ask(app, { method: 'GET', url });
      expect(head.statusCode).toBe(200);
      expect(head.body).toBe('');
      expect(head.headers['content-type']).toBe(get.headers['content-type']);
    },
  );
});

describe('POST /bench', () => {
  it('queues the order and says where to look', async () => {
    const { app, orders } = serve();
    const order = {
      suite: 'nightly',
      scenario: 'offline',
      durationSeconds: 2.5,
      threads: 2,
      variants: ['int8'],
    };
    const answer = await ask(app, post({ model: 'tiny', ...order }));
    expect(answer.statusCode).toBe(202);
    expect(answer.headers).toMatchObject({ location: `/bench/${ID}`, 'retry-after': '5' });
    expect(answer.json()).toMatchObject({ id: ID, state: 'queued', queuePosition: 3, href: `/bench/${ID}` });
    expect(orders).toEqual([{ model: 'tiny', order: { kind: 'bench', ...order } }]);
  });

  it('cannot be made to queue anything but a benchmark', async () => {
    const { app, orders } = serve();
    expect((await ask(app, post({ model: 'tiny', kind: 'pipeline' }))).statusCode).toBe(400);
    expect(orders).toEqual([]);
  });

  it.each([
    ['no model', {}, '/model', '"model" is missing'],
    ['a slip in a name', { model: 'tiny', scenaro: 'offline' }, '/scenaro', 'there is no field "scenaro"'],
    ['a number as text', { model: 'tiny', threads: '4' }, '/threads', '"threads" must be integer'],
    ['a fraction of a thread', { model: 'tiny', threads: 1.5 }, '/threads', '"threads" must be integer'],
    ['too long a run', { model: 'tiny', durationSeconds: 3601 }, '/durationSeconds', 'must be <= 3600'],
    ['no time at all', { model: 'tiny', durationSeconds: 0 }, '/durationSeconds', 'must be >= 0.1'],
    [
      'a replay, whose trace a request cannot name',
      { model: 'tiny', scenario: 'replay' },
      '/scenario',
      '"scenario" must be one of: single-stream, multi-stream, server, offline, closed-loop, constant-rate, ramp',
    ],
    ['a variant twice', { model: 'tiny', variants: ['a', 'a'] }, '/variants', 'duplicate'],
    ['an empty name', { model: '' }, '/model', '"model" must NOT have fewer than 1 characters'],
    ['a list', [], '', 'the body must be object'],
  ])('refuses %s and points at it', async (_what, body, pointer, words) => {
    const { app, orders } = serve();
    const answer = await ask(app, post(body));
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({
      type: '/problems/invalid-request',
      title: 'Invalid request',
      status: 400,
      errors: [{ pointer, detail: expect.stringContaining(words) }],
    });
    expect(orders).toEqual([]);
  });

  it.each([
    ['50hz', 202],
    ['off', 202],
    ['1000hz', 400],
    [10, 400],
  ])('answers a wish to be sampled at %j with %i', async (sampling, status) => {
    const { app, orders } = serve();
    const answer = await ask(app, post({ model: 'tiny', sampling }));
    expect(answer.statusCode).toBe(status);
    if (status === 202) expect(orders).toMatchObject([{ order: { sampling } }]);
    else expect(answer.json()).toMatchObject({ errors: [{ pointer: '/sampling' }] });
  });

  it('names every wrong field at once, with what was probably meant', async () => {
    const { app } = serve();
    const answer = await ask(app, post({ modle: 'tiny', durationSeconds: 'long' }));
    const { errors } = answer.json<{ errors: { pointer: string; hint?: string }[] }>();
    expect(errors.map(({ pointer }) => pointer)).toEqual(['/model', '/modle', '/durationSeconds']);
    expect(errors[1]?.hint).toBe('did you mean "model"?');
  });

  it.each([
    ['broken JSON', '{"model":', 'application/json', 400],
    ['an empty body', '', 'application/json', 400],
    ['a prototype', '{"model":"tiny","__proto__":{"threads":1}}', 'application/json', 400],
    ['a form, which any web page can send', 'model=tiny', 'application/x-www-form-urlencoded', 415],
    ['plain text, which any web page can send', '{"model":"tiny"}', 'text/plain', 400],
    ['an unknown type', '{"model":"tiny"}', 'application/xml', 415],
  ])('refuses %s', async (_what, payload, contentType, status) => {
    const { app, orders } = serve();
    const request = { ...post(payload), headers: { 'content-type': contentType } };
    const answer = await ask(app, request);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ status, type: expect.stringMatching(/^\/problems\//) });
    expect(orders).toEqual([]);
  });

  it('refuses a body that is larger than any order', async () => {
    const { app } = serve();
    const answer = await ask(app, post({ model: 'x'.repeat(70_000) }));
    expect([answer.statusCode, answer.json()]).toEqual([
      413,
      expect.objectContaining({ type: '/problems/body-too-large' }),
    ]);
  });

  it.each([
    ['unknown-model', 422],
    ['unknown-variant', 422],
    ['queue-full', 429],
  ])("passes on the agent's %s as %i", async (kind, status) => {
    const place = { field: '/model' };
    const { app } = serve({ order: () => err(problem(kind, 'no', { hint: 'do this', place })) });
    const answer = await ask(app, post({ model: 'tiny' }));
    expect(answer.json()).toEqual({
      type: `/problems/${kind}`,
      title: expect.any(String),
      status,
      detail: 'no',
      hint: 'do this',
      errors: [{ pointer: '/model', detail: 'no', hint: 'do this' }],
    });
    expect(answer.headers['retry-after']).toBe(status === 429 ? '5' : undefined);
  });
});

describe('GET /bench/{id}', () => {
  it('shows the run with its times, its result and what JSON has no numbers for', async () => {
    const { app } = serve();
    expect((await ask(app, `/bench/${ID}`)).json()).toEqual({
      id: ID,
      kind: 'bench',
      model: 'tiny',
      state: 'succeeded',
      href: `/bench/${ID}`,
      request: { kind: 'bench' },
      priority: 'normal',
      attempt: 1,
      createdAt: '1970-01-01T00:00:00.000Z',
      startedAt: '1970-01-01T00:00:01.000Z',
      finishedAt: '1970-01-01T00:00:02.000Z',
      result: expect.objectContaining({ seconds: 12.3, startNs: '12', notKnown: null }),
    });
  });

  it.each([
    '/bench/01M83MHX4BNBFSWHZ8PWNPP7QX',
    '/bench/xyz',
    '/bench/..%2F..%2Fetc%2Fpasswd',
    "/bench/'%20or%201=1",
    `/bench/${ID}/nothing`,
    '/nothing',
  ])('answers 404 for %s', async (url) => {
    const { app } = serve();
    const answer = await ask(app, url);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ status: 404, hint: expect.any(String) });
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it.each([
    ['is no text', '/bench/%ZZ'],
    ['is longer than any', `/bench/${'0'.repeat(500)}`],
  ])('answers 400 for a path that %s', async (_what, url) => {
    const answer = await ask(serve().app, url);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ type: '/problems/invalid-request' });
  });
});

describe('GET /bench', () => {
  it('lists runs without their results, fifty unless asked otherwise', async () => {
    const { app, queries } = serve();
    const answer = await ask(app, '/bench');
    const { runs } = answer.json<{ runs: object[] }>();
    expect(runs).toEqual([expect.objectContaining({ id: ID, state: 'succeeded' })]);
    expect(runs[0]).not.toHaveProperty('result');
    expect(queries).toEqual([{ limit: 51 }]);
  });

  it('passes every filter on', async () => {
    const { app, queries } = serve();
    await ask(app, `/bench?model=tiny&state=failed&limit=5&before=${ID}`);
    expect(queries).toEqual([{ model: 'tiny', state: 'failed', limit: 6, before: ID }]);
  });

  it.each(['1', '9', '10', '99', '100', '199', '200'])('takes the limit %s', async (limit) => {
    const { app, queries } = serve();
    expect((await ask(app, `/bench?limit=${limit}`)).statusCode).toBe(200);
    expect(queries).toEqual([{ limit: Number(limit) + 1 }]);
  });

  it.each([
    ['limit=0', '/limit', '"limit" must be a whole number from 1 to 200'],
    ['limit=201', '/limit', '"limit" must be a whole number from 1 to 200'],
    ['limit=1e2', '/limit', '"limit" must be a whole number from 1 to 200'],
    ['limit=', '/limit', '"limit" must be a whole number from 1 to 200'],
    ['limit=1&limit=2', '/limit', '"limit" must be string'],
    ['state=done', '/state', expect.stringContaining('must be one of: queued, running')],
    ['before=xyz', '/before', '"before" must be the id of a run, the last of a page'],
    ['modle=tiny', '/modle', 'there is no field "modle"'],
  ])('refuses ?%s and points at it', async (query, pointer, detail) => {
    const { app, queries } = serve();
    const answer = await ask(app, `/bench?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ errors: [{ pointer, detail }] });
    expect(queries).toEqual([]);
  });
});

describe('every path', () => {
  it.each([
    ['PUT', '/bench', 'GET, HEAD, POST'],
    ['PUT', `/bench/${ID}`, 'GET, HEAD, DELETE'],
    ['DELETE', '/bench', 'GET, HEAD, POST'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['OPTIONS', '/', 'GET, HEAD'],
  ] as const)('answers %s %s with 405 and what it takes', async (method, url, allowed) => {
    const { app } = serve();
    const payload = method === 'OPTIONS' ? {} : { payload: 'a form', headers: { 'content-type': 'text/x' } };
    const answer = await ask(app, { method, url, ...payload });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, allowed]);
    expect(answer.json()).toMatchObject({
      type: '/problems/method-not-allowed',
      hint: `it takes ${allowed}`,
    });
  });

  it.each(['/', '/metrics', '/bench', '/-/healthy', '/nothing'])(
    'refuses %s under a foreign name, as a browser could be made to ask for it',
    async (url) => {
      const { app, queries } = serve();
      const answer = await ask(app, { url, headers: { host: 'evil.example:9477' } });
      expect(answer.statusCode).toBe(403);
      expect(answer.json()).toMatchObject({ type: '/problems/foreign-host' });
      expect(queries).toEqual([]);
    },
  );

  it('refuses orders from foreign pages', async () => {
    const { app, orders } = serve();
    const answer = await ask(app, { ...post({ model: 'tiny' }), headers: { origin: 'http://evil.example' } });
    expect([answer.statusCode, orders]).toEqual([403, []]);
  });

  it('hides the inside of a fault from the client and tells it to the log', async () => {
    const lines: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (message, fields) => void lines.push([message, fields]),
    };
    const fail = () => {
      throw new Error('SQLITE_IOERR at /secret/path');
    };
    const { app } = serve({ listRuns: fail }, { logger });
    const answer = await ask(app, '/bench?limit=3');
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ type: '/problems/internal-fault' });
    expect(answer.body).not.toContain('secret');
    expect(lines).toEqual([
      ['fault while answering', { path: '/bench', stack: expect.stringContaining('SQLITE_IOERR') }],
    ]);
  });
});

describe('GET /bench/arrivals', () => {
  it('is a trace of when benchmarks were ordered', async () => {
    const asked: unknown[] = [];
    const benchArrivals: Agent['benchArrivals'] = (query) => {
      asked.push(query);
      return ['{"count":1}\n', '{"t_us":0}\n'];
    };
    const { app } = serve({ benchArrivals });
    const answer = await ask(app, '/bench/arrivals?model=tiny&limit=5');
    expect([answer.statusCode, answer.body]).toEqual([200, '{"count":1}\n{"t_us":0}\n']);
    expect(answer.headers['content-type']).toContain('application/jsonl');
    await ask(app, '/bench/arrivals');
    expect(asked).toEqual([{ model: 'tiny', limit: 5 }, { limit: 10_000 }]);
  });

  it.each(['limit=0', 'limit=10001', 'limit=x', 'modell=tiny'])('refuses %s', async (query) => {
    const { app } = serve();
    expect((await ask(app, `/bench/arrivals?${query}`)).statusCode).toBe(400);
    expect((await ask(app, { method: 'POST', url: '/bench/arrivals' })).statusCode).toBe(405);
  });
});
