import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Daemon, type ShownRun, startDaemon, until } from '../support/daemon.ts';
import { writeProfile } from '../support/program.ts';
import { freePort } from '../support/prometheus.ts';
import { registerMeasuredModels } from '../support/registered-models.ts';

/** What scraping one exporter cost, and how long it took, from the request to the last byte. */
export interface ScrapeCost {
  readonly exporter: string;
  readonly series: number;
  readonly scrapes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** CPU time of the exporter's process for each scrape, without what it uses when nobody scrapes. */
  readonly cpuMsPerScrape: number;
  readonly sizeBytes: number;
}

export interface ScrapeCosts {
  readonly costs: readonly ScrapeCost[];
  /** CPU time of the processes that sample the host, whether anybody scrapes or not, over wall time. */
  readonly samplerCpuRatio: number;
  /** 99th percentile of requests to the daemon that have next to nothing to answer, under the same load: what the host adds. */
  readonly pingP99Ms: number;
  /** Why a peer is not among them. */
  readonly skipped: readonly string[];
}

const PREFERRED = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const EVERY_MS = 10;
const IDLE_MS = 3_000;

// Each has some 38 series: two variants with a benchmark, one of them evaluated.
const MODELS = 165;

const LOAD = 'a-load';

/**
 * Scrapes a daemon with more than 5,000 series whose worker keeps every core busy, over one connection that is kept, and
 * node_exporter beside it under the same load. Needs `npm run build`.
 */
export async function scrapeCosts(scrapes: number, threads: number): Promise<ScrapeCosts> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-perf-'));
  const profiles = join(folder, 'profiles');
  const dataDir = join(folder, 'data');
  registerMeasuredModels(
    profiles,
    dataDir,
    Array.from({ length: MODELS }, (_, at) => `model-${String(at).padStart(3, '0')}`),
  );
  // Runs come in the order of the names.
  writeProfile(profiles, LOAD, { duration: '100s', threads });
  const daemon = await startDaemon(profiles, dataDir);
  const peer = await startNodeExporter();
  try {
    await until(async () => (await running(daemon))?.progress?.phase === 'bench' || undefined);
    const samplerBefore = await samplerCpuSeconds(daemon.url);
    const startMs = performance.now();
    const pings: number[] = [];
    const ping = async () => {
      const pingMs = performance.now();
      await (await daemon.get('/-/healthy')).text();
      pings.push(performance.now() - pingMs);
    };
    const costs = [
      await costOf('ptq-agent', `${daemon.url}/metrics`, scrapes, false),
      await costOf('ptq-agent, gzip', `${daemon.url}/metrics`, scrapes, true),
    ];
    for (let made = 0; made < scrapes; made += 1) {
      await ping();
      await sleep(EVERY_MS);
    }
    const samplerCpuRatio =
      ((await samplerCpuSeconds(daemon.url)) - samplerBefore) / ((performance.now() - startMs) / 1e3);
    if (typeof peer !== 'string') {
      costs.push(
        await costOf('node_exporter', peer.url, scrapes, false),
        await costOf('node_exporter, gzip', peer.url, scrapes, true),
      );
    }
    if ((await running(daemon))?.model !== LOAD) throw new Error('the load has ended before the scrapes');
    return {
      costs,
      samplerCpuRatio,
      pingP99Ms: percentile(pings, 0.99),
      skipped: typeof peer === 'string' ? [peer] : [],
    };
  } finally {
    if (typeof peer !== 'string') peer.child.kill('SIGTERM');
    daemon.child.kill('SIGTERM');
    await daemon.finished;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function running(daemon: Daemon): Promise<ShownRun | undefined> {
  const { runs } = (await (await daemon.get('/bench?state=running')).json()) as { runs: ShownRun[] };
  return runs[0];
}

async function costOf(exporter: string, url: string, scrapes: number, gzip: boolean): Promise<ScrapeCost> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await scrape(url, agent, gzip);
    const idleBefore = cpuSeconds((await scrape(url, agent, gzip)).text);
    await sleep(IDLE_MS);
    const before = await scrape(url, agent, gzip);
    const idleRatio = (cpuSeconds(before.text) - idleBefore) / (IDLE_MS / 1e3);
    const startMs = performance.now();
    const milliseconds: number[] = [];
    for (let made = 0; made < scrapes; made += 1) {
      milliseconds.push((await scrape(url, agent, gzip)).milliseconds);
      await sleep(EVERY_MS);
    }
    const seconds = (performance.now() - startMs) / 1e3;
    const after = await scrape(url, agent, gzip);
    const used = cpuSeconds(after.text) - cpuSeconds(before.text) - idleRatio * seconds;
    return {
      exporter,
      series: after.text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
      scrapes,
      p50Ms: percentile(milliseconds, 0.5),
      p99Ms: percentile(milliseconds, 0.99),
      maxMs: percentile(milliseconds, 1),
      // What the last scrape itself took is within it, and what the first took is not.
      cpuMsPerScrape: (used * 1e3) / (scrapes + 1),
      sizeBytes: after.sizeBytes,
    };
  } finally {
    agent.destroy();
  }
}

function percentile(values: readonly number[], ratio: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(ratio * sorted.length))] ?? 0;
}

interface Scraped {
  readonly text: string;
  readonly sizeBytes: number;
  readonly milliseconds: number;
}

function scrape(url: string, agent: Agent, gzip: boolean): Promise<Scraped> {
  const headers = { accept: PREFERRED, ...(gzip ? { 'accept-encoding': 'gzip' } : {}) };
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    get(url, { agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const milliseconds = performance.now() - startMs;
        const body = Buffer.concat(chunks);
        const isCompressed = answer.headers['content-encoding'] === 'gzip';
        if (isCompressed !== gzip)
          reject(new Error(`${url}: expected ${gzip ? '' : 'no '}gzip but found the contrary`));
        else
          resolve({
            text: (isCompressed ? gunzipSync(body) : body).toString(),
            sizeBytes: body.length,
            milliseconds,
          });
      });
    }).on('error', reject);
  });
}

async function samplerCpuSeconds(url: string): Promise<number> {
  const agent = new Agent();
  const { text } = await scrape(`${url}/metrics`, agent, false);
  const values = [...text.matchAll(/^ptq_sampler_cpu_seconds_total\S* (\S+)$/gm)].map(([, value]) =>
    Number(value),
  );
  return values.reduce((sum, value) => sum + value, 0);
}

function cpuSeconds(exposition: string): number {
  const value = /^process_cpu_seconds_total (\S+)$/m.exec(exposition)?.[1];
  if (value === undefined) throw new Error('the exporter does not tell its CPU time');
  return Number(value);
}

interface NodeExporter {
  readonly child: ChildProcess;
  readonly url: string;
}

/** The exporter, or why there is none. */
async function startNodeExporter(): Promise<NodeExporter | string> {
  const names = [process.env['PTQ_NODE_EXPORTER'] ?? [], 'prometheus-node-exporter', 'node_exporter'].flat();
  const command = names.find((name) => spawnSync(name, ['--version']).error === undefined);
  if (command === undefined) {
    return 'node_exporter is not installed (Debian: prometheus-node-exporter; or its path in PTQ_NODE_EXPORTER)';
  }
  const port = await freePort();
  const child = spawn(command, [`--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/metrics`;
  await until(async () =>
    fetch(url).then(
      (answer) => answer.ok,
      () => undefined,
    ),
  );
  return { child, url };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
