import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from './daemon.ts';
import { freePort } from './prometheus.ts';

/** Debian's name for it, and the one that others have. */
const PROGRAM = ['prometheus-alertmanager', 'alertmanager'].find(
  (name) => spawnSync(name, ['--version']).error === undefined,
);

/** Whether there is an Alertmanager to send alerts to. */
export const hasAlertmanager = PROGRAM !== undefined;

/** An alert as a webhook of Alertmanager gets it. */
export interface ReceivedAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface WebhookReceiver {
  readonly url: string;
  /** Everything that came, the oldest first. */
  readonly alerts: () => readonly ReceivedAlert[];
  readonly stop: () => void;
}

/** What alerts are sent to by webhook. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedAlert[] = [];
  const server = createServer((request, answer) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { alerts } = JSON.parse(Buffer.concat(parts).toString()) as { alerts: readonly ReceivedAlert[] };
      received.push(...alerts);
      answer.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    alerts: () => received,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Starts an Alertmanager that sends on within a second, and waits until it answers. */
export async function startAlertmanager(
  folder: string,
  webhook: string,
): Promise<{ readonly address: string; readonly stop: () => Promise<void> }> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(
    file,
    `route: { receiver: hook, group_by: [alertname, model, variant], group_wait: 1s, group_interval: 1s, repeat_interval: 1h }
receivers: [ { name: hook, webhook_configs: [ { url: '${webhook}', send_resolved: true } ] } ]
`,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    PROGRAM as string,
    [
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  await until(() =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    ),
  );
  return {
    address,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}
