import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './daemon.ts';

/** Whether there is a Prometheus to scrape with. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).error === undefined;

export interface Prometheus {
  /** Where it listens. */
  readonly url: string;
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
export function startPrometheus(
  folder: string,
  jobs: Readonly<Record<string, string>>,
  alerting?: Alerting,
): Promise<Prometheus> {
  return runPrometheus(folder, {
    ...(alerting === undefined ? {} : alertingConfig(alerting)),
    scrape_configs: Object.entries(jobs).map(([job, target]) => ({
      job_name: job,
      static_configs: [{ targets: [target] }],
    })),
  });
}

/**
 * Starts a Prometheus with a configuration of one's own, in which everything happens every second, and waits until it answers.
 * @param within a command that becomes the program, such as `nsenter --net=…`, where it is asked, too
 */
export async function runPrometheus(
  folder: string,
  config: object,
  within: readonly string[] = [],
): Promise<Prometheus> {
  mkdirSync(folder, { recursive: true });
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  const file = join(folder, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ global, ...config }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api/v1`;
  const [command = '', ...words] = [
    ...within,
    'prometheus',
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(command, words, { stdio: 'ignore' });
  const ask = async <T>(path: string): Promise<T> =>
    (JSON.parse(await textOf(url + path, within)) as { data: T }).data;
  await until(() =>
    ask<object>('/status/runtimeinfo').then(
      (info) => info,
      () => undefined,
    ),
  );
  return {
    url: new URL(url).origin,
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

function alertingConfig({ ruleFiles, alertmanager }: Alerting): object {
  const alertmanagers = [{ static_configs: [{ targets: [alertmanager] }] }];
  return { rule_files: ruleFiles, alerting: { alertmanagers } };
}

const FETCH = 'fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)';

/** What an address answers, asked from where `within` leads. */
async function textOf(url: string, within: readonly string[]): Promise<string> {
  const [command, ...words] = within;
  if (command === undefined) return (await fetch(url)).text();
  const { stdout } = await promisify(execFile)(command, [...words, process.execPath, '-e', FETCH, url]);
  return stdout;
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
