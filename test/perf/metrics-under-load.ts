import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon, until } from '../support/daemon.ts';
import { writeProfile } from '../support/program.ts';

/** How long scrapes took, from the request to the last byte. */
export interface ScrapeLatency {
  readonly scrapes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const SCRAPE_EVERY_MS = 50;

/**
 * Scrapes `/metrics` of a daemon whose worker keeps every core busy with a benchmark.
 * @param scrapes at least 60, so that the 99th percentile is more than the worst one or two
 * @param threads of the worker, such as the number of cores
 */
export async function metricsUnderLoad(scrapes: number, threads: number): Promise<ScrapeLatency> {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-perf-'));
  writeProfile(join(folder, 'profiles'), 'load', { duration: '60s', threads });
  const daemon = await startDaemon(join(folder, 'profiles'), join(folder, 'data'));
  try {
    await until(async () => (await daemon.runs()).find(({ progress }) => progress?.phase === 'bench'));
    const milliseconds: number[] = [];
    for (let scrape = 0; scrape < scrapes; scrape += 1) {
      const startMs = performance.now();
      const answer = await daemon.get('/metrics');
      await answer.text();
      milliseconds.push(performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, SCRAPE_EVERY_MS));
    }
    const [run] = await daemon.runs();
    if (run?.state !== 'running') throw new Error(`the load has ended: the run is ${run?.state}`);
    return summarize(milliseconds);
  } finally {
    daemon.child.kill('SIGTERM');
    await daemon.finished;
    rmSync(folder, { recursive: true, force: true });
  }
}

function summarize(milliseconds: readonly number[]): ScrapeLatency {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (ratio: number) => sorted[Math.min(sorted.length - 1, Math.floor(ratio * sorted.length))] ?? 0;
  return { scrapes: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
}
