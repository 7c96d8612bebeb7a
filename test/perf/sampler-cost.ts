import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SamplerSource } from '../../src/telemetry/collectors/collector.ts';
import { startSampler } from '../../src/telemetry/sampler.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import { NO_COMPILER } from '../support/fake-nvml/build-fake-nvml.ts';

/** What one sampler process took. */
export interface SourceCost {
  readonly source: SamplerSource;
  readonly samples: number;
  /** CPU time over wall time; 1 is one core. */
  readonly cpuRatio: number;
  /** Mean time of all collectors together, of a sample. */
  readonly collectSeconds: number;
  readonly missedTicks: number;
}

export interface SamplerCost {
  readonly perSecond: number;
  readonly sources: readonly SourceCost[];
  /** This process, which receives the samples and does nothing else. */
  readonly parentCpuRatio: number;
  /** What the same rate costs processes that do less: the least that can be reached on this host. */
  readonly floors: readonly { readonly what: string; readonly cpuRatio: number }[];
}

const ENTRY = new URL('../../dist/telemetry/sampler-main.js', import.meta.url);
const WARM_UP_SECONDS = 3;

/** What sampling this host costs at so many samples a second, watching one process. Needs `npm run build`. */
export async function samplerCost(perSecond: number, seconds: number): Promise<SamplerCost> {
  const sampler = startSampler({ entry: ENTRY, intervalMs: 1000 / perSecond });
  sampler.watch([process.pid]);
  await sleep(WARM_UP_SECONDS);
  const snapshots: Snapshot[] = [];
  const unsubscribe = sampler.onSnapshot((snapshot) => snapshots.push(snapshot));
  const pids = Object.entries(sampler.health().sources).flatMap(([source, { pid }]) =>
    pid === undefined ? [] : [{ source: source as SamplerSource, pid, before: cpuSecondsOf(pid) }],
  );
  const parentBefore = process.cpuUsage();
  const startMs = performance.now();
  await sleep(seconds);
  const wallSeconds = (performance.now() - startMs) / 1e3;
  const parent = process.cpuUsage(parentBefore);
  const sources = pids.map(({ source, pid, before }) => ({
    source,
    cpuRatio: (cpuSecondsOf(pid) - before) / wallSeconds,
    ...summaryOf(snapshots.filter((snapshot) => snapshot.source === source)),
  }));
  unsubscribe();
  await sampler.stop();
  return {
    perSecond,
    sources,
    parentCpuRatio: (parent.user + parent.system) / 1e6 / wallSeconds,
    floors: await measureFloors(perSecond, Math.min(seconds, 20)),
  };
}

function summaryOf(snapshots: readonly Snapshot[]) {
  const seconds = snapshots.map(({ health }) =>
    Object.values(health).reduce(
      (sum, collector) => sum + (collector.status === 'down' ? 0 : collector.durationSeconds),
      0,
    ),
  );
  return {
    samples: snapshots.length,
    collectSeconds: seconds.reduce((sum, one) => sum + one, 0) / Math.max(1, seconds.length),
    missedTicks: (snapshots.at(-1)?.sampler.missedTicks ?? 0) - (snapshots[0]?.sampler.missedTicks ?? 0),
  };
}

/** What the collectors of `host` read on every tick, where this host has it. */
const READ_FILES = [
  '/proc/stat',
  '/proc/meminfo',
  '/proc/pressure/cpu',
  '/proc/pressure/io',
  '/proc/pressure/memory',
  '/proc/diskstats',
  '/proc/uptime',
  `/proc/${process.pid}/stat`,
  `/proc/${process.pid}/status`,
  `/proc/${process.pid}/io`,
];

async function measureFloors(perSecond: number, seconds: number): Promise<SamplerCost['floors']> {
  const floors = [
    {
      what: 'an empty timer of Node.js',
      cpuRatio: await costOf(process.execPath, ['-e', `setInterval(() => {}, ${1000 / perSecond})`], seconds),
    },
  ];
  if (NO_COMPILER !== undefined) return floors;
  const folder = mkdtempSync(join(tmpdir(), 'ptq-sleep-loop-'));
  try {
    const loop = join(folder, 'sleep-loop');
    execFileSync('gcc', ['-O2', '-o', loop, fileURLToPath(new URL('sleep-loop.c', import.meta.url))]);
    const rate = String(perSecond);
    return [
      ...floors,
      { what: 'a sleeping loop in C', cpuRatio: await costOf(loop, [rate], seconds) },
      {
        what: 'a loop in C that reads the same files',
        cpuRatio: await costOf(loop, [rate, ...READ_FILES.filter((file) => existsSync(file))], seconds),
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function costOf(command: string, args: readonly string[], seconds: number): Promise<number> {
  const child = spawn(command, args, { stdio: 'ignore' });
  await sleep(WARM_UP_SECONDS);
  const before = cpuSecondsOf(child.pid ?? 0);
  await sleep(seconds);
  const used = cpuSecondsOf(child.pid ?? 0) - before;
  child.kill();
  return used / seconds;
}

/** CPU time of all threads of a process, in nanoseconds where `/proc/PID/stat` has hundredths (kernel doc scheduler/sched-stats.rst). */
function cpuSecondsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const [onCpuNs = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(onCpuNs) / 1e9;
  }, 0);
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
