import { readFileSync } from 'node:fs';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { startSampler } from '../../src/telemetry/sampler.ts';

/** How the resident memory of a process developed over many samples. */
export interface MemoryCourse {
  /** The least of the second and of the last quarter: what lies above it the next collection of garbage gives back. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
  /** Of the line through all readings after the first quarter. */
  readonly slopeBytesPerSample: number;
}

export interface SamplerLeak {
  readonly samples: number;
  readonly seconds: number;
  readonly sampler: MemoryCourse;
  /** This process, which does with every sample what the daemon does, and is scraped ten times a second. */
  readonly daemon: MemoryCourse;
}

const ENTRY = new URL('../../dist/telemetry/sampler-main.js', import.meta.url);
const SCRAPE_EVERY_MS = 100;

/** Samples as fast as the sampler can, and watches the memory of both sides. Needs `npm run build`. */
export async function samplerLeak(samples: number): Promise<SamplerLeak> {
  const metrics = createMetrics({ buildInfo: { version: '0', nodeVersion: '0', ortVersion: '0' } });
  const sampler = startSampler({ entry: ENTRY, intervalMs: 1 });
  sampler.watch([process.pid]);
  const startMs = performance.now();
  const readings: { readonly samples: number; readonly sampler: number; readonly daemon: number }[] = [];
  let count = 0;
  const done = new Promise<void>((resolve) => {
    sampler.onSnapshot((snapshot) => {
      metrics.observeSnapshot(snapshot);
      if (snapshot.source !== 'host') return;
      count += 1;
      if (count >= samples) resolve();
    });
  });
  const timer = setInterval(() => {
    metrics.setHost(sampler.latest());
    void metrics.render();
    const pid = sampler.health().sources.host?.pid;
    if (pid === undefined) return;
    readings.push({ samples: count, sampler: residentBytes(pid), daemon: residentBytes(process.pid) });
  }, SCRAPE_EVERY_MS);
  await done;
  clearInterval(timer);
  const { restarts = 0 } = sampler.health().sources.host ?? {};
  await sampler.stop();
  if (restarts > 0)
    throw new Error(`the sampler was replaced ${restarts} times, so its memory is not one course`);
  const course = (of: 'sampler' | 'daemon') =>
    courseOf(readings.map((reading) => ({ at: reading.samples, bytes: reading[of] })));
  return {
    samples: count,
    seconds: (performance.now() - startMs) / 1e3,
    sampler: course('sampler'),
    daemon: course('daemon'),
  };
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function courseOf(all: readonly { readonly at: number; readonly bytes: number }[]): MemoryCourse {
  const quarter = Math.floor(all.length / 4);
  const settled = all.slice(quarter);
  const least = (of: typeof all) =>
    of.reduce((lowest, { bytes }) => Math.min(lowest, bytes), Number.POSITIVE_INFINITY);
  const meanAt = mean(settled.map(({ at }) => at));
  const meanBytes = mean(settled.map(({ bytes }) => bytes));
  const covariance = mean(settled.map(({ at, bytes }) => (at - meanAt) * (bytes - meanBytes)));
  const variance = mean(settled.map(({ at }) => (at - meanAt) ** 2));
  return {
    beforeBytes: least(all.slice(quarter, 2 * quarter)),
    afterBytes: least(all.slice(-quarter)),
    slopeBytesPerSample: covariance / variance,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
