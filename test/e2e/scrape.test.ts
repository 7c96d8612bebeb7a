import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Daemon, startDaemon, until } from '../support/daemon.ts';
import { parseExposition } from '../support/parse-exposition.ts';
import { childrenOf, isBuilt, writeProfile } from '../support/program.ts';
import { hasPrometheus, startPrometheus, startProxy } from '../support/prometheus.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function start(profiles: string, dataDir: string): Promise<Daemon> {
  const daemon = await startDaemon(profiles, dataDir);
  onTestFinished(async () => {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
  });
  return daemon;
}

/** The scrape's body, which must come within a second, and every line of which must be right. */
async function scrape(daemon: Daemon): Promise<string> {
  const answer = await fetch(`${daemon.url}/metrics`, { signal: AbortSignal.timeout(1000) });
  const body = await answer.text();
  expect(answer.status).toBe(200);
  parseExposition(body, 'text');
  return body;
}

/** Holds a process as a hung driver or a debugger does, until the test is over. */
function hold(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It was replaced meanwhile.
    }
  });
}

describe.skipIf(!isBuilt)('a scrape (skipped where `npm run build` was not run)', () => {
  it.skipIf(!hasPrometheus)(
    'gives Prometheus the same series in both formats (skipped where that is not installed)',
    async () => {
      const folder = temporaryFolder();
      const profiles = join(folder, 'profiles');
      mkdirSync(profiles);
      const daemon = await start(profiles, join(folder, 'data'));
      await until(async () => (await scrape(daemon)).includes('ptq_host_cpu_seconds_total{') || undefined);
      const proxy = await startProxy(daemon.url, 'text/plain;version=0.0.4');
      onTestFinished(proxy.stop);
      const prometheus = await startPrometheus(join(folder, 'prometheus'), {
        openmetrics: new URL(daemon.url).host,
        text: proxy.address,
      });
      onTestFinished(prometheus.stop);

      const scraped = async (job: string) => {
        const series = await prometheus.series(`{job="${job}", __name__=~"ptq_.*|process_.*"}`);
        return series.map(({ job: _job, instance: _instance, ...labels }) => JSON.stringify(labels)).sort();
      };
      const names = await until(async () => {
        const [one, other] = [await scraped('openmetrics'), await scraped('text')];
        return one.length > 0 && JSON.stringify(one) === JSON.stringify(other) ? one : undefined;
      });
      expect(names.join('\n')).toContain('"__name__":"ptq_host_cpu_seconds_total"');
      expect(names.join('\n')).toContain('"__name__":"ptq_sampler_duration_seconds_bucket"');
      expect(await prometheus.metadata('openmetrics', 'ptq_host_memory_total_bytes')).toMatchObject({
        type: 'gauge',
        unit: 'bytes',
      });
      expect(await prometheus.metadata('text', 'ptq_host_memory_total_bytes')).toMatchObject({
        type: 'gauge',
        unit: '',
      });
    },
    180_000,
  );

  it('is answered while the sampler hangs, and then shows that nothing is known any more', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'profiles'));
    const daemon = await start(join(folder, 'profiles'), join(folder, 'data'));
    await until(async () => (await scrape(daemon)).includes('ptq_host_cpu_seconds_total{') || undefined);
    for (const pid of childrenOf(daemon.pid, 'sampler-main')) hold(pid);
    await until(async () => {
      const body = await scrape(daemon);
      return (
        (body.includes('ptq_sampler_up{collector="cpu"} 0') && !body.includes('ptq_host_cpu_seconds')) ||
        undefined
      );
    });
    // The watchdog replaces it.
    await until(
      async () => (await scrape(daemon)).includes('ptq_sampler_up{collector="cpu"} 1') || undefined,
    );
    expect(await scrape(daemon)).toMatch(/^ptq_sampler_process_restarts_total\{source="host"\} [1-9]/m);
  }, 180_000);

  it('is answered while a worker is stopped', async () => {
    const folder = temporaryFolder();
    writeProfile(join(folder, 'profiles'), 'tiny', { duration: '60s' });
    const daemon = await start(join(folder, 'profiles'), join(folder, 'data'));
    await until(
      async () => (await scrape(daemon)).includes('ptq_worker_processes{role="bench"} 2') || undefined,
    );
    for (const pid of childrenOf(daemon.pid, 'worker-main')) hold(pid);
    for (let time = 0; time < 5; time += 1) {
      expect(await scrape(daemon)).toMatch(/^ptq_worker_processes\{role="bench"\} 2$/m);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }, 180_000);

  it.skipIf(!canMount())(
    'is answered while the disk is full (skipped where a small disk cannot be mounted)',
    async () => {
      const folder = temporaryFolder();
      const small = join(folder, 'small');
      mkdirSync(small);
      expect(mountSmallDisk(small)).toBe(true);
      writeProfile(join(folder, 'profiles'), 'tiny', { duration: '1s' });
      const daemon = await start(join(folder, 'profiles'), join(small, 'data'));
      onTestFinished(async () => {
        daemon.child.kill('SIGKILL');
        await daemon.finished;
        spawnSync('umount', [small]);
      });
      await until(async () => (await scrape(daemon)).includes('ptq_host_cpu_seconds_total{') || undefined);
      expect(() => fill(join(small, 'ballast'))).toThrow('ENOSPC');
      for (let time = 0; time < 5; time += 1) {
        expect(await scrape(daemon)).toContain('ptq_host_cpu_seconds_total{');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      const order = await daemon.post('/bench', { model: 'tiny' });
      expect(order.status).toBe(507);
      // Which of both depends on whether the first run is over, after which the disk is looked at.
      expect(await order.json()).toMatchObject({
        type: expect.stringMatching(/^\/problems\/(?:store-not-written|disk-space-low)$/),
        hint: expect.stringMatching(/^make room on (?:its|the) disk/),
      });
      expect(await scrape(daemon)).toContain('ptq_host_cpu_seconds_total{');
      unlinkSync(join(small, 'ballast'));
      // What it was at, or what waited for room, fails or succeeds, depending on when the disk was full; it goes on either way.
      const over = /^ptq_jobs\{state="(?:succeeded|failed)"\} 1$/m;
      await until(async () => over.test(await scrape(daemon)) || undefined);
    },
    180_000,
  );
});

function mountSmallDisk(folder: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]).status === 0;
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'ptq-test-'));
  const can = mountSmallDisk(folder);
  if (can) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return can;
}

/** Writes until the disk is full. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(4096));
  } finally {
    closeSync(descriptor);
  }
}
