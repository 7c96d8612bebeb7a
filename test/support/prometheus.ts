import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from './daemon.ts';

/** Whether there is a Prometheus to scrape with. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).error === undefined;

export interface Prometheus {
  /** The labels of every series that a selector matches now. */
  readonly series: (selector: string) => Promise<readonly Readonly<Record<string, string>>[]>;
  /** What the target of a job said of a metric, in the format that it was scraped in. */
  readonly metadata: (
    job: string,
    metric: string,
  ) => Promise<{ readonly type: string; readonly unit: string; readonly help: string } | undefined>;
  readonly stop: () => Promise<void>;
}

/** Rules that are looked at every second, and where what fires goes. */
export interface Alerting {
  readonly ruleFiles: readonly string[];
  /** Host and port. */
  readonly alertmanager: string;
}

/** Starts a Prometheus that scrapes each job's address every second, and waits until it answers. */
export async function startPrometheus(
  folder: string,
  jobs: Readonly<Record<string, string>>,
  alerting?: Alerting,
): Promise<Prometheus> {
  mkdirSync(folder, { recursive: true });
  const configs = Object.entries(jobs).map(
    ([job, target]) => `  - { job_name: ${job}, static_configs: [{ targets: ['${target}'] }] }\n`,
  );
  const file = join(folder, 'prometheus.yml');
  writeFileSync(
    file,
    `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
${alerting === undefined ? '' : alertingConfig(alerting)}scrape_configs:\n${configs.join('')}`,
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api/v1`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const ask = async <T>(path: string): Promise<T> =>
    ((await (await fetch(url + path)).json()) as { data: T }).data;
  await until(() =>
    fetch(`${url}/status/runtimeinfo`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    ),
  );
  return {
    series: async (selector) => {
      const { result } = await ask<{ result: readonly { metric: Record<string, string> }[] }>(
        `/query?query=${encodeURIComponent(selector)}`,
      );
      return result.map(({ metric }) => metric);
    },
    metadata: async (job, metric) => {
      const match = encodeURIComponent(`{job="${job}"}`);
      return (
        await ask<readonly { type: string; unit: string; help: string }[]>(
          `/targets/metadata?match_target=${match}&metric=${metric}`,
        )
      )[0];
    },
    stop: () => ended(child),
  };
}

function alertingConfig({ ruleFiles, alertmanager }: Alerting): string {
  return `rule_files: ${JSON.stringify(ruleFiles)}
alerting: { alertmanagers: [ { static_configs: [ { targets: ['${alertmanager}'] } ] } ] }
`;
}

/** Passes requests on with another `Accept`, as a scraper would send them that reads nothing else. */
export async function startProxy(
  target: string,
  accept: string,
): Promise<{ readonly address: string; readonly stop: () => void }> {
  const server: Server = createServer((asked, answer) => {
    const headers = { ...asked.headers, accept, host: new URL(target).host };
    asked.pipe(
      request(`${target}${asked.url}`, { method: asked.method, headers }, (answered) => {
        answer.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(answer);
      }).on('error', () => answer.destroy()),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
