import { open, readdir, readlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { ModelView } from '../../../src/jobs/model-view.ts';
import { RunFeed } from '../../../src/jobs/run-feed.ts';
import type { RunView } from '../../../src/jobs/run-view.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { DEFAULT_LIMITS } from '../../../src/server/connections.ts';
import { ID, serve, TOKEN } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const LIMITS = { ...DEFAULT_LIMITS, headersMs: 300, requestMs: 600, stalledMs: 400 };

async function listening(surface: Parameters<typeof serve>[0] = {}, limits = LIMITS) {
  const metrics = createMetrics({ buildInfo: { version: '1', nodeVersion: '2', ortVersion: '3' } });
  const { app } = serve(surface, { context: { limits, metrics } });
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const client = (): Client => {
    const socket = connect(Number(url.port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    // A connection that is reset is closed, too.
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    onTestFinished(() => void socket.destroy());
    return { socket, closed, text: () => text };
  };
  const dropped = async (reason: string): Promise<number> => {
    const { body } = await metrics.render();
    return Number(new RegExp(`connections_total\\{reason="${reason}"\\} (\\d+)`).exec(body)?.[1]);
  };
  const connections = async () =>
    Number(/^ptq_http_connections (\d+)$/m.exec((await metrics.render()).body)?.[1]);
  return { url, client, dropped, connections };
}

interface Client {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly text: () => string;
}

/** Writes a text one letter at a time, for as long as the other side takes it. */
function drip({ socket }: Client, text: string, everyMs = 20): void {
  let at = 0;
  const dripping = setInterval(() => {
    if (socket.writable && at < text.length) socket.write(text[at++] ?? '');
    else clearInterval(dripping);
  }, everyMs);
  onTestFinished(() => clearInterval(dripping));
}

const HEAD = 'GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n';

describe('A client that takes its time', { timeout: 60_000 }, () => {
  it.each<[string, (client: Client) => void]>([
    ['says nothing', () => {}],
    ['drips its headers', (client) => drip(client, `${HEAD}x-long: ${'a'.repeat(5000)}`)],
    [
      'drips its body',
      (client) => {
        client.socket.write(
          `POST /bench HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n`,
        );
        drip(client, ' '.repeat(9000));
      },
    ],
  ])('is told so and let go when it %s', async (_how, write) => {
    const { client, dropped } = await listening({}, { ...LIMITS, stalledMs: 30_000 });
    const slow = client();
    write(slow);
    await slow.closed;
    expect(slow.text()).toMatch(
      /^HTTP\/1\.1 408 Request Timeout\r\ncontent-type: application\/problem\+json\r\n/,
    );
    expect(await dropped('request_timeout')).toBe(1);
  });

  it('keeps nobody else from being answered', async () => {
    const { client, url, connections } = await listening({}, { ...LIMITS, headersMs: 30_000 });
    const slow = Array.from({ length: 200 }, client);
    for (const one of slow) drip(one, HEAD.repeat(100), 50);
    await vi.waitFor(async () => expect(await connections()).toBe(200), { timeout: 20_000 });
    for (let time = 0; time < 20; time++) expect((await fetch(new URL('/-/healthy', url))).status).toBe(200);
  });

  it('that takes nothing of a download is let go, and the file with it', async () => {
    const file = join(temporaryFolder(), 'large.onnx');
    const handle = await open(file, 'w');
    await handle.truncate(64 * 2 ** 20);
    await handle.close();
    const model = { name: 'tiny', variants: [{ variant: 'int8', artifact: 'a'.repeat(64) }] };
    const { client, dropped } = await listening({
      listModels: () => [model as unknown as ModelView],
      artifactFiles: () => ({ file }),
    });
    const slow = client();
    slow.socket.pause();
    slow.socket.write('GET /models/tiny/variants/int8/file HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await vi.waitFor(async () => expect(await dropped('slow_reader')).toBe(1), { timeout: 20_000 });
    await vi.waitFor(async () => expect(await isOpenHere(file)).toBe(false), { timeout: 20_000 });
    slow.socket.resume();
    await slow.closed;
    expect(slow.text()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('that reads slowly but does read gets all of a download', async () => {
    const file = join(temporaryFolder(), 'large.onnx');
    const handle = await open(file, 'w');
    await handle.truncate(16 * 2 ** 20);
    await handle.close();
    const model = { name: 'tiny', variants: [{ variant: 'int8', artifact: 'a'.repeat(64) }] };
    const { client, dropped } = await listening(
      { listModels: () => [model as unknown as ModelView], artifactFiles: () => ({ file }) },
      { ...LIMITS, stalledMs: 5000 },
    );
    const slow = client();
    slow.socket.write(
      'GET /models/tiny/variants/int8/file HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    );
    let received = 0;
    slow.socket.on('data', (chunk) => {
      received += chunk.length;
      slow.socket.pause();
      setTimeout(() => slow.socket.resume(), 2);
    });
    await slow.closed;
    expect(received).toBeGreaterThan(16 * 2 ** 20);
    expect(await dropped('slow_reader')).toBe(0);
  });

  it('that does not read the events of a run is dropped once too much waits for it', async () => {
    const run: RunView = {
      id: ID,
      kind: 'bench',
      model: 'tiny',
      state: 'running',
      request: {},
      priority: 'normal',
      attempt: 1,
      createdMs: 0,
    };
    const feed = new RunFeed({ ...systemClock, wallMs: () => 0 });
    const { client, dropped } = await listening({
      followRun: (_id, after, listener) => feed.follow(run, after, listener),
    });
    const slow = client();
    slow.socket.pause();
    slow.socket.write(`GET /bench/${ID}/events HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await vi.waitFor(
      async () => {
        for (let news = 0; news < 100; news++) feed.tell({ ...run, request: { text: 'x'.repeat(10_000) } });
        expect(await dropped('slow_follower')).toBe(1);
      },
      { timeout: 20_000, interval: 10 },
    );
    slow.socket.resume();
    await slow.closed;
  });
});

describe('A client that is none', { timeout: 60_000 }, () => {
  it.each([
    ['something else', 'hello\r\n\r\n', '400 Bad Request', 'malformed_request'],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'headers_too_large',
    ],
  ])('that sends %s gets a problem and is let go', async (_what, text, status, reason) => {
    const { client, dropped } = await listening();
    const strange = client();
    strange.socket.write(text);
    await strange.closed;
    expect(strange.text()).toContain(`HTTP/1.1 ${status}\r\ncontent-type: application/problem+json\r\n`);
    expect(await dropped(reason)).toBe(1);
  });

  it('is refused where there are too many already, and counted', async () => {
    const { client, dropped } = await listening({}, { ...LIMITS, headersMs: 30_000, maxConnections: 2 });
    const [first, second] = [client(), client()];
    await Promise.all(
      [first, second].map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))),
    );
    const third = client();
    await third.closed;
    await vi.waitFor(async () => expect(await dropped('too_many_connections')).toBe(1));
    first.socket.write(`${HEAD}\r\n`);
    await vi.waitFor(() => expect(first.text()).toContain('200 OK'), { timeout: 20_000 });
    expect(second.socket.destroyed).toBe(false);
  });
});

/** Whether this process, in which the server runs, has a file open. */
async function isOpenHere(file: string): Promise<boolean> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  );
  return links.includes(file);
}
