import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { geometricMeanInterval } from '../../src/benchmark/confidence-interval.ts';
import { formatSeconds } from '../../src/core/units.ts';
import { type Daemon, ended, startDaemon, until } from '../support/daemon.ts';
import { writeProfile } from '../support/program.ts';
import type { StormOrder, StormResult } from './metrics-storm-child.ts';
import { type PerfRow, plainRow } from './perf-row.ts';

export interface StormOptions {
  readonly perSecond: number;
  readonly followers: number;
  /** Benchmarks with the load, and as many without, in turns. */
  readonly pairs: number;
  readonly benchSeconds: number;
}

/** What a daemon did under many scrapers and followers, and what that did to what it measured. */
export interface MetricsStorm {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly scrapes: number;
  readonly errors: readonly string[];
  readonly kibibytesPerScrape: number;
  /** Events that came to followers, and how many of those told the end of a run. */
  readonly events: number;
  readonly ends: number;
  readonly expectedEnds: number;
  /** CPU time over wall time while the load lasted. */
  readonly daemonCpu: number;
  readonly loadCpu: number;
  /** Medians of queries, with the intervals that the benchmarks told, in the order of the benchmarks. */
  readonly benches: readonly BenchUnderStorm[];
}

export interface BenchUnderStorm {
  readonly isLoaded: boolean;
  readonly p50Seconds: number;
  readonly p50Interval: readonly [number, number];
  readonly queries: number;
}

interface BenchAnswer {
  readonly latencySeconds: { readonly p50: number };
  readonly latencyIntervalsSeconds: {
    readonly p50: { readonly lower: number; readonly upper: number } | null;
  };
  readonly queries: number;
}

const CHILD = fileURLToPath(new URL('./metrics-storm-child.ts', import.meta.url));
const CONNECTIONS = 20;
const MODEL = 'stormed';

/** Orders benchmarks of a daemon in turns with and without the load beside them. Needs `npm run build`. */
async function metricsStorm(options: StormOptions): Promise<MetricsStorm> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-perf-'));
  writeProfile(join(folder, 'profiles'), MODEL);
  const daemon = await startDaemon(join(folder, 'profiles'), join(folder, 'data'));
  const child = fork(CHILD, { execArgv: process.execArgv });
  try {
    const first = await until(async () => (await daemon.runs())[0]);
    await ended(daemon, first.id);
    const benches: BenchUnderStorm[] = [];
    const results: StormResult[] = [];
    let daemonCpuSeconds = 0;
    for (let at = 0; at < 2 * options.pairs; at += 1) {
      // ABBA, so that a drift of the host is no difference.
      const isLoaded = at % 4 === 1 || at % 4 === 2;
      const cpuBefore = isLoaded ? await cpuSeconds(daemon) : 0;
      if (isLoaded) tell(child, { kind: 'begin', url: daemon.url, connections: CONNECTIONS, ...options });
      benches.push(await measure(daemon, options, isLoaded ? child : undefined));
      if (!isLoaded) continue;
      results.push(await endStorm(child));
      daemonCpuSeconds += (await cpuSeconds(daemon)) - cpuBefore;
    }
    return summarize(options, benches, results, daemonCpuSeconds);
  } finally {
    child.kill();
    daemon.child.kill('SIGTERM');
    await daemon.finished;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  daemon: Daemon,
  { benchSeconds, followers }: StormOptions,
  child: ChildProcess | undefined,
): Promise<BenchUnderStorm> {
  const order = { model: MODEL, variants: ['fp32'], durationSeconds: benchSeconds, threads: 1 };
  const { id } = await daemon.order(order);
  if (child !== undefined) tell(child, { kind: 'follow', path: `/bench/${id}/events`, followers });
  // Looks seldom, so as not to be a load itself.
  let run = await daemon.run(id);
  while (run.state === 'queued' || run.state === 'running') {
    await new Promise((resolve) => setTimeout(resolve, 500));
    run = await daemon.run(id);
  }
  // The record of a benchmark as the daemon keeps it.
  const bench = run.result?.variants[0]?.bench[0] as unknown as BenchAnswer | undefined;
  if (bench === undefined) throw new Error(`the benchmark ended as ${run.state}: ${run.problem?.message}`);
  const { p50 } = bench.latencyIntervalsSeconds;
  return {
    isLoaded: child !== undefined,
    p50Seconds: bench.latencySeconds.p50,
    p50Interval: [p50?.lower ?? Number.NaN, p50?.upper ?? Number.NaN],
    queries: bench.queries,
  };
}

function endStorm(child: ChildProcess): Promise<StormResult> {
  const answer = new Promise<StormResult>((resolve) =>
    child.once('message', (found) => resolve(found as StormResult)),
  );
  tell(child, { kind: 'end' });
  return answer;
}

function tell(child: ChildProcess, order: StormOrder): void {
  child.send(order);
}

async function cpuSeconds(daemon: Daemon): Promise<number> {
  const text = await (await daemon.get('/metrics')).text();
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
}

function summarize(
  { followers }: StormOptions,
  benches: readonly BenchUnderStorm[],
  results: readonly StormResult[],
  daemonCpuSeconds: number,
): MetricsStorm {
  const latencies = results.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  const at = (ratio: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(ratio * latencies.length))] ?? 0;
  const sum = (of: (result: StormResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const seconds = sum((result) => result.seconds);
  return {
    perSecond: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    scrapes: latencies.length,
    errors: results.flatMap(({ errors }) => errors),
    kibibytesPerScrape: sum(({ bytes }) => bytes) / 1024 / latencies.length,
    events: sum(({ events }) => events),
    ends: sum(({ ends }) => ends),
    expectedEnds: results.length * followers,
    daemonCpu: daemonCpuSeconds / seconds,
    loadCpu: sum((result) => result.cpuSeconds) / seconds,
    benches,
  };
}

const PAIRS = Number(process.env['PTQ_REPETITIONS'] ?? 6);
const MOST_P99_MS = 50;
const WANTED_PER_SECOND = 1_000;
const FOLLOWERS = 200;
const LEAST_RATE = 0.99;

/** The rows of the measurement. */
export async function measureMetricsStorm(): Promise<readonly PerfRow[]> {
  const storm = await metricsStorm({
    perSecond: WANTED_PER_SECOND,
    followers: FOLLOWERS,
    pairs: PAIRS,
    benchSeconds: 5,
  });
  const subject = `${WANTED_PER_SECOND} scrapes a second, ${FOLLOWERS} followers of a benchmark`;
  const ratios: number[] = [];
  for (let at = 0; at + 1 < storm.benches.length; at += 2) {
    const pair = storm.benches.slice(at, at + 2);
    const p50 = (isLoaded: boolean) =>
      pair.find((bench) => bench.isLoaded === isLoaded)?.p50Seconds ?? Number.NaN;
    ratios.push(p50(true) / p50(false));
  }
  const moved = geometricMeanInterval(ratios, 0.95);
  return [
    {
      ...plainRow(subject, 'scrapes answered a second', storm.perSecond.toFixed(0)),
      target: `≥ ${WANTED_PER_SECOND * LEAST_RATE}`,
      reached: storm.perSecond >= WANTED_PER_SECOND * LEAST_RATE,
      detail: `${storm.scrapes} in all, ${storm.kibibytesPerScrape.toFixed(1)} KiB each`,
    },
    plainRow(subject, 'median of a scrape, from when it was due', formatSeconds(storm.p50Ms / 1e3)),
    {
      ...plainRow(subject, '99th percentile', formatSeconds(storm.p99Ms / 1e3)),
      target: `≤ ${MOST_P99_MS} ms`,
      reached: storm.p99Ms <= MOST_P99_MS,
    },
    plainRow(subject, 'worst', formatSeconds(storm.maxMs / 1e3)),
    {
      ...plainRow(subject, 'errors', String(storm.errors.length)),
      target: '0',
      reached: storm.errors.length === 0,
      ...(storm.errors[0] === undefined ? {} : { detail: storm.errors[0] }),
    },
    {
      ...plainRow(subject, 'followers told of the end', `${storm.ends} of ${storm.expectedEnds}`),
      target: 'all',
      reached: storm.ends === storm.expectedEnds,
      detail: `${storm.events} events`,
    },
    plainRow(subject, 'CPU of the daemon, cores', storm.daemonCpu.toFixed(2)),
    plainRow(subject, 'CPU of what makes the load, cores', storm.loadCpu.toFixed(2)),
    {
      ...plainRow(
        subject,
        'median of a query of the benchmark, with / without',
        moved === null
          ? 'too few benchmarks'
          : `${moved.estimate.toFixed(3)} (${moved.lower.toFixed(3)} to ${moved.upper.toFixed(3)})`,
      ),
      target: '1 within the interval',
      reached: moved !== null && moved.lower <= 1 && moved.upper >= 1,
      detail: `${ratios.length} pairs`,
    },
  ];
}
