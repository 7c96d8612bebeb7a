import { describe, expect, it, onTestFinished } from 'vitest';
import { problem } from '../../../src/core/problem.ts';
import { err, ok } from '../../../src/core/result.ts';
import { serveTargets } from '../../../src/fleet/serve-targets.ts';
import { targetOf } from '../../../src/fleet/target.ts';
import { unwrap } from '../../support/unwrap.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

async function served(find: Parameters<typeof serveTargets>[1]) {
  const server = unwrap(await serveTargets(LOOPBACK, find));
  onTestFinished(server.close);
  return server.url;
}

describe('serveTargets', () => {
  it('answers as an HTTP service discovery, with what is there now', async () => {
    let names = ['a:9477'];
    const url = await served(async () => ok(names.map((name) => unwrap(targetOf(name, { rack: 'a' })))));
    const first = await fetch(url);
    expect(first.headers.get('content-type')).toBe('application/json');
    expect(await first.json()).toEqual([{ targets: ['a:9477'], labels: { rack: 'a' } }]);
    names = [];
    expect(await (await fetch(url)).json()).toEqual([]);
  });

  it('answers 503 where nothing can be found now, so that Prometheus keeps what it has', async () => {
    const url = await served(async () => err([problem('targets-unreadable', 'the list cannot be read')]));
    const answer = await fetch(url);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ error: 'the list cannot be read' });
  });

  it('looks once for requests that come together', async () => {
    let looks = 0;
    const url = await served(async () => {
      looks++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return ok([]);
    });
    await Promise.all([fetch(url), fetch(url), fetch(url)]);
    expect(looks).toBe(1);
  });

  it('knows no other path and no other method', async () => {
    const url = await served(async () => ok([]));
    expect((await fetch(new URL('/other', url))).status).toBe(404);
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await fetch(new URL('/-/healthy', url))).status).toBe(200);
  });

  it('says where nobody can listen', async () => {
    const port = Number(new URL(await served(async () => ok([]))).port);
    expect(await serveTargets({ ...LOOPBACK, port }, async () => ok([]))).toMatchObject({
      error: { kind: 'cannot-listen', message: expect.stringContaining('EADDRINUSE') },
    });
  });
});
