import { hashSync } from '@node-rs/bcrypt';
import { describe, expect, it } from 'vitest';
import { ID, OPEN, serve, TOKEN } from '../../../support/server.ts';

const READING = ['/', '/metrics', '/bench', `/bench/${ID}`, '/bench/arrivals', '/openapi.json'];
const PROBES = ['/-/healthy', '/-/ready'];
const BEARER = { authorization: `Bearer ${TOKEN}` };
const order = { method: 'POST', url: '/bench', payload: { model: 'tiny' } } as const;
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('on loopback, without users', () => {
  it.each([...READING, ...PROBES])('%s can be read by all programs of the host', async (url) => {
    const { app } = serve();
    expect((await app.inject({ url })).statusCode).not.toBe(401);
  });

  it.each([
    ['nothing', {}],
    ['another token', { authorization: 'Bearer another-token-of-twenty-letters' }],
    ['a part of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['more than the token', { authorization: `Bearer ${TOKEN}x` }],
    ['the token of another kind', { authorization: `Token ${TOKEN}` }],
    ['the token as the password of another name', basic(`ptq:${TOKEN}`)],
    ['another password of the name for the token', basic('token:another-token-of-twenty-letters')],
    ['no token at all', { authorization: 'Bearer' }],
  ])('an order with %s is refused, and what would be right is told', async (_what, headers) => {
    const { app, orders } = serve();
    const answer = await app.inject({ ...order, headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({
      type: '/problems/unauthorized',
      hint: expect.stringContaining('Bearer'),
    });
    expect(answer.headers['www-authenticate']).toEqual(['Bearer realm="ptq-agent"']);
    expect(answer.body).not.toContain(TOKEN);
    expect(orders).toEqual([]);
  });

  it('an order with the token is taken, however the word before it is written', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const { app, orders } = serve();
      const answer = await app.inject({ ...order, headers: { authorization: `${scheme} ${TOKEN}` } });
      expect([answer.statusCode, orders.length]).toEqual([202, 1]);
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    '%s needs the token everywhere, also where there is nothing',
    async (method) => {
      const { app } = serve();
      for (const url of [...READING, '/none', `/bench/${ID}/none`])
        expect((await app.inject({ method, url })).statusCode).toBe(401);
    },
  );

  it('the token opens nothing to a foreign Host or Origin', async () => {
    const { app, orders } = serve();
    for (const foreign of [{ host: 'evil.example' }, { origin: 'http://evil.example' }]) {
      const answer = await app.inject({ ...order, headers: { ...BEARER, ...foreign } });
      expect(answer.statusCode).toBe(403);
    }
    expect(orders).toEqual([]);
  });
});

describe('where others can reach the daemon', () => {
  const access = { ...OPEN, guardsReading: true };

  it.each(READING)('%s needs the token', async (url) => {
    const { app } = serve({}, { access });
    expect((await app.inject({ url })).statusCode).toBe(401);
    expect((await app.inject({ url, headers: BEARER })).statusCode).not.toBe(401);
  });

  it.each(PROBES)('%s is for supervisors, which have none', async (url) => {
    const { app } = serve({}, { access });
    expect((await app.inject({ url })).statusCode).toBe(200);
  });

  it('a browser asks for a password, and the token is that of the name token', async () => {
    const { app } = serve({}, { access });
    const refused = await app.inject({ url: '/' });
    expect(refused.headers['www-authenticate']).toContain('Basic realm="ptq-agent", charset="UTF-8"');
    expect((await app.inject({ url: '/', headers: basic(`token:${TOKEN}`) })).statusCode).toBe(200);
    for (const wrong of [`token:${TOKEN}x`, 'token:', `${TOKEN}:token`, TOKEN])
      expect((await app.inject({ url: '/', headers: basic(wrong) })).statusCode).toBe(401);
  });

  it('it may be asked by its name, and still not by pages of others', async () => {
    const { app } = serve({}, { access });
    const host = 'gpu1.example:9477';
    const statusOf = async (headers: Record<string, string>) =>
      (await app.inject({ url: '/bench', headers: { ...BEARER, host, ...headers } })).statusCode;
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ origin: `http://${host}` })).toBe(200);
    expect(await statusOf({ origin: 'http://other.example' })).toBe(403);
  });
});

describe('with users', () => {
  const users = new Map([['prometheus', hashSync('pass:word', { cost: 4 })]]);
  const access = { ...OPEN, users, guardsReading: true };

  it('takes a name with its password, or the token', async () => {
    const { app } = serve({}, { access });
    for (const headers of [basic('prometheus:pass:word'), basic('prometheus:pass:word'), BEARER])
      expect((await app.inject({ url: '/metrics', headers })).statusCode).toBe(200);
  });

  it.each(['prometheus:pass', 'prometheus:', 'prometheus', 'other:pass:word', 'other:x', ':', ''])(
    'refuses %j',
    async (text) => {
      const { app } = serve({}, { access });
      const answer = await app.inject({ url: '/metrics', headers: basic(text) });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('Basic realm="ptq-agent", charset="UTF-8"');
    },
  );

  it('verifies a few wrong passwords at a time and turns the others away', async () => {
    const { app } = serve({}, { access });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        app.inject({ url: '/metrics', headers: basic(`prometheus:${n}`) }),
      ),
    );
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 429).length).toBe(40 - 16);
    expect(statuses.filter((status) => status === 401).length).toBe(16);
    expect((await app.inject({ url: '/metrics', headers: basic('prometheus:pass:word') })).statusCode).toBe(
      200,
    );
  });
});

describe('the web configuration', () => {
  it('limits how often the daemon answers, but not its supervisor', async () => {
    const { app } = serve({}, { access: { ...OPEN, rateLimit: { intervalMs: 60_000, burst: 2 } } });
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await app.inject({ url: '/bench' })).statusCode);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await app.inject({ url: '/bench' })).headers['retry-after']).toBe('60');
    expect((await app.inject({ url: '/-/healthy' })).statusCode).toBe(200);
  });

  it('adds headers to every answer', async () => {
    const { app } = serve({}, { access: { ...OPEN, headers: { 'X-Frame-Options': 'deny' } } });
    for (const url of ['/', '/none', '/-/healthy'])
      expect((await app.inject({ url })).headers['x-frame-options']).toBe('deny');
  });
});
