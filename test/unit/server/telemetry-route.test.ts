import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../../src/telemetry/snapshot.ts';
import { serve, TOKEN } from '../../support/server.ts';
import { ns, snapshotAt } from '../telemetry/snapshots.ts';

async function listening() {
  const listeners = new Set<(snapshot: Snapshot) => void>();
  const { app } = serve({
    onSnapshot: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const publish = (snapshot: Snapshot) => {
    for (const listener of listeners) listener(snapshot);
  };
  return { app, url: `http://127.0.0.1:${port}/telemetry`, listeners, publish };
}

describe('GET /telemetry', () => {
  it('sends snapshots as they come, one JSON object a line', async () => {
    const { url, publish } = await listening();
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe('application/jsonl; charset=utf-8');
    publish(snapshotAt(1.5));
    const reader = answer.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    const lines = new TextDecoder().decode(value).split('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ tickNs: ns(1.5).toString(), source: 'host' });
    await reader?.cancel();
  });

  it('lets go of whoever has gone, and refuses a ninth', async () => {
    const { url, listeners } = await listening();
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(url)));
    expect(answers.map(({ status }) => status)).toEqual(new Array(8).fill(200));
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    await refused.text();
    await Promise.all(answers.map(({ body }) => body?.cancel()));
    await expect.poll(() => listeners.size).toBe(0);
    const again = await fetch(url);
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  it('does not keep a server from closing', async () => {
    const { app, url } = await listening();
    const answer = await fetch(url);
    await app.close();
    expect(await answer.text()).toBe('');
  });

  it('takes no other method', async () => {
    const { url } = await listening();
    const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
  });
});
