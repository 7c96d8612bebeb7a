import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Logger } from '../../../src/core/log.ts';
import { type Alert, fingerprintOf, webhookBody } from '../../../src/webhook/alert-payload.ts';
import { postJson } from '../../../src/webhook/post-json.ts';
import { sendAlerts, Webhook, type WebhookSettings } from '../../../src/webhook/webhook.ts';
import { HAS_OPENSSL, selfSigned } from '../../support/self-signed.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const alertOf = (variant: string, status: Alert['status'] = 'firing'): Alert => ({
  status,
  labels: { alertname: 'PtqAccuracyRegressed', model: 'digits', variant },
  annotations: { summary: `${variant} lost`, runbook: 'a page' },
  startsMs: 0,
  ...(status === 'resolved' ? { endsMs: 60_000 } : {}),
  url: 'http://agent/#/models/digits',
});

interface Received {
  readonly body: {
    readonly status: string;
    readonly alerts: readonly {
      readonly status: string;
      readonly labels: Readonly<Record<string, string>>;
    }[];
  };
  readonly headers: IncomingHttpHeaders;
}

/** A receiver that answers with these, one after the other, and then with 200. */
async function receiver(...answers: readonly (number | 'hang up')[]) {
  const received: Received[] = [];
  const left = [...answers];
  const server = createServer((request, answer) => {
    let text = '';
    request.on('data', (part: Buffer) => {
      text += part.toString();
    });
    request.on('end', () => {
      received.push({ body: JSON.parse(text), headers: request.headers });
      const next = left.shift() ?? 200;
      if (next === 'hang up') {
        request.socket.destroy();
        return;
      }
      answer.writeHead(next, next === 302 ? { location: '/elsewhere' } : {}).end('x'.repeat(100_000));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=secret`, received };
}

function told(settings: WebhookSettings | undefined) {
  const log: string[] = [];
  const note = (message: string, fields?: object) => void log.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const outcomes: string[] = [];
  const webhook = new Webhook({
    settings: () => settings,
    logger,
    onOutcome: (outcome) => outcomes.push(outcome),
    random: () => 0,
    waitMs: 10,
  });
  onTestFinished(() => webhook.close());
  return { webhook, log, outcomes };
}

describe('what a webhook is told', () => {
  it('has the form of version 4 of Alertmanager', () => {
    const body = webhookBody(
      [alertOf('int8'), alertOf('fp32', 'resolved')],
      { model: 'di"gits' },
      'http://agent',
    );
    expect(body).toEqual({
      version: '4',
      groupKey: '{}:{model="di\\"gits"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'ptq-agent',
      groupLabels: { model: 'di"gits' },
      commonLabels: { alertname: 'PtqAccuracyRegressed', model: 'digits' },
      commonAnnotations: { runbook: 'a page' },
      externalURL: 'http://agent',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'PtqAccuracyRegressed', model: 'digits', variant: 'int8' },
          annotations: { summary: 'int8 lost', runbook: 'a page' },
          startsAt: '1970-01-01T00:00:00.000Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'http://agent/#/models/digits',
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        },
        expect.objectContaining({ status: 'resolved', endsAt: '1970-01-01T00:01:00.000Z' }),
      ],
    });
    expect(webhookBody([alertOf('a', 'resolved')], {}, '')).toMatchObject({ status: 'resolved' });
  });

  it('is told apart by its labels alone, in whatever order', () => {
    expect(fingerprintOf({ a: '1', b: '2' })).toBe(fingerprintOf({ b: '2', a: '1' }));
    expect(fingerprintOf({ a: '1' })).not.toBe(fingerprintOf({ a: '2' }));
  });

  it('is one message for a model, with the token from its file', async () => {
    const { url, received } = await receiver();
    const tokenFile = join(temporaryFolder(), 'token');
    writeFileSync(tokenFile, 'a secret word\n');
    const { webhook, outcomes } = told({ url, tokenFile });
    webhook.tell(alertOf('fp32'));
    webhook.tell(alertOf('int8'));
    await vi.waitFor(() => expect(outcomes).toEqual(['sent']));
    expect(received).toHaveLength(1);
    expect(received[0]?.body.alerts.map(({ labels }) => labels['variant'])).toEqual(['fp32', 'int8']);
    expect(received[0]?.headers.authorization).toBe('Bearer a secret word');
  });

  it('is told again where that failed, in its newest state and never twice at once', async () => {
    const { url, received } = await receiver(503, 'hang up', 429);
    const { webhook, outcomes } = told({ url });
    webhook.tell(alertOf('int8'));
    await vi.waitFor(() => expect(outcomes).toContain('failed'), 10_000);
    webhook.tell(alertOf('int8', 'resolved'));
    await vi.waitFor(() => expect(outcomes).toContain('sent'), 10_000);
    expect(outcomes).toEqual(['failed', 'failed', 'failed', 'sent']);
    expect(received.at(-1)?.body).toMatchObject({ status: 'resolved' });
    expect(received.at(-1)?.body.alerts).toHaveLength(1);
  });

  it.each([400, 401, 404, 302])('is given up where it is refused for good: %d', async (status) => {
    const { url, received } = await receiver(status);
    const { webhook, outcomes } = told({ url });
    webhook.tell(alertOf('int8'));
    await vi.waitFor(() => expect(outcomes).toEqual(['refused']));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(received).toHaveLength(1);
  });

  it('is nothing where nobody wants to be told', async () => {
    const { webhook, outcomes, log } = told(undefined);
    webhook.tell(alertOf('int8'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([outcomes, log]).toEqual([[], []]);
  });

  it('leaves no secret in the log, whatever happens', async () => {
    const { url } = await receiver(500, 404);
    const folder = temporaryFolder();
    for (const [name, text] of [
      ['url', url],
      ['token', 'word-of-secrecy'],
      ['nonsense', 'secret: not an address'],
    ])
      writeFileSync(join(folder, name as string), text as string);
    const tokenFile = join(folder, 'token');
    for (const settings of [
      { urlFile: join(folder, 'url'), tokenFile },
      { urlFile: join(folder, 'nonsense') },
      { urlFile: join(folder, 'gone') },
      { url: 'http://127.0.0.1:1/secret' },
      { url: 'https://secret.invalid/secret' },
    ]) {
      const { webhook, log, outcomes } = told(settings);
      webhook.tell(alertOf('int8'));
      await vi.waitFor(() => expect(outcomes.length).toBeGreaterThan(0), 10_000);
      webhook.close();
      expect(log.join('\n')).not.toMatch(/secret|word-of/);
    }
  });

  it('fails where nobody listens', async () => {
    const outcome = await postJson({ url: 'https://127.0.0.1:1/' }, '{}');
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'ECONNREFUSED' });
  });

  it.skipIf(!HAS_OPENSSL)(
    'is sent to a certificate that is trusted, and to no other (needs openssl)',
    async () => {
      const { key, cert, certFile: caFile } = selfSigned();
      let asked = 0;
      const server = createSecureServer({ key, cert }, (_, answer) => {
        asked += 1;
        answer.end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const url = `https://127.0.0.1:${port}/`;
      expect(await sendAlerts({ url }, [alertOf('int8')])).toMatchObject({
        kind: 'failed',
        reason: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      });
      // The certificate is of the address, not of a name.
      const named = { url: `https://localhost:${port}/`, caFile };
      expect(await sendAlerts(named, [alertOf('int8')])).toMatchObject({ kind: 'failed' });
      expect(asked).toBe(0);
      expect(await sendAlerts({ url, caFile }, [alertOf('int8')])).toEqual({ kind: 'sent', status: 200 });
    },
  );

  it('waits for no answer longer than it may', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await postJson({ url }, '{}', 50)).toEqual({ kind: 'failed', reason: 'no answer within 0.05 s' });
  });

  it('can be sent once, to see whether it arrives', async () => {
    const { url, received } = await receiver();
    expect(await sendAlerts({ url }, [alertOf('int8')])).toEqual({ kind: 'sent', status: 200 });
    expect(received[0]?.body.status).toBe('firing');
  });
});
