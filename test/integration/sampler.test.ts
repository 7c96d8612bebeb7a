import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Sampler, startSampler } from '../../src/telemetry/sampler.ts';
import {
  decodeSnapshots,
  SAMPLER_STDIO,
  SNAPSHOTS_DESCRIPTOR,
} from '../../src/telemetry/sampler-messages.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';
import type { SamplerLimits } from '../../src/telemetry/source-sampler.ts';

const entry = new URL('../../dist/telemetry/sampler-main.js', import.meta.url);
const samplerModule = new URL('../../src/telemetry/sampler.ts', import.meta.url);

const unmet =
  process.platform !== 'linux'
    ? 'reads /proc, which only Linux has'
    : existsSync(entry)
      ? undefined
      : 'needs dist/telemetry/sampler-main.js: npm run build';

/** As strict as a loaded test machine allows, where a process may take two seconds to start; a hang is found in three seconds instead of five. */
const quick: Partial<SamplerLimits> = {
  silenceMs: 3000,
  killAfterMs: 300,
  firstBackoffMs: 50,
  maxBackoffMs: 1000,
};

function start(intervalMs: number, limits: Partial<SamplerLimits> = quick, entryUrl = entry): Sampler {
  const sampler = startSampler({ entry: entryUrl, intervalMs, limits });
  onTestFinished(() => sampler.stop());
  return sampler;
}

/** Of the kernel's source. */
function nextSnapshot(sampler: Sampler): Promise<Snapshot> {
  return new Promise((resolve) => {
    const unsubscribe = sampler.onSnapshot((snapshot) => {
      if (snapshot.source !== 'host') return;
      unsubscribe();
      resolve(snapshot);
    });
  });
}

async function collect(sampler: Sampler, seconds: number): Promise<readonly Snapshot[]> {
  const snapshots: Snapshot[] = [await nextSnapshot(sampler)];
  const unsubscribe = sampler.onSnapshot((snapshot) => {
    if (snapshot.source === 'host') snapshots.push(snapshot);
  });
  await sleep(seconds * 1000);
  unsubscribe();
  return snapshots;
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the awaited condition did not come true');
    await sleep(10);
  }
}

/** False for a zombie too, which only waits for its parent to ask how it ended. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe.skipIf(unmet !== undefined)(`the sampler process${unmet === undefined ? '' : ` (${unmet})`}`, () => {
  it('delivers at least eight snapshots in a second at ten a second, in step', async () => {
    // What is sampled within 0.8 s comes together, so that these are the samples of 1.6 s.
    const snapshots = await collect(start(100), 1.8);
    expect(snapshots.length).toBeGreaterThanOrEqual(13);
    // Each tick is late by what the machine's load makes it late, but no lateness is passed on to the next.
    const ticksMs = snapshots.map(({ tickNs }) => Number(tickNs) / 1e6);
    const inStepWith = (one: number) =>
      ticksMs.filter((other) => {
        const lateMs = (((other - one) % 100) + 100) % 100;
        return lateMs < 30 || lateMs > 90;
      });
    expect(Math.max(...ticksMs.map((tick) => inStepWith(tick).length))).toBeGreaterThanOrEqual(8);
  });

  it('reads this host: memory that adds up, CPUs, and the process it was told to watch', async () => {
    const sampler = start(50);
    sampler.watch([process.pid]);
    await until(() => (sampler.latest().processes?.length ?? 0) > 0);
    const snapshot = await nextSnapshot(sampler);
    expect(snapshot.memory?.availableBytes).toBeLessThanOrEqual(snapshot.memory?.totalBytes ?? 0);
    expect(snapshot.cpu?.cpuCount).toBeGreaterThanOrEqual(1);
    expect(snapshot.processes?.[0]?.pid).toBe(process.pid);
    const residentBytes = process.memoryUsage().rss;
    expect(Math.abs((snapshot.processes?.[0]?.rssBytes ?? 0) / residentBytes - 1)).toBeLessThan(0.25);
    for (const health of Object.values(snapshot.health)) {
      if (health.status === 'failed') expect(health.problem.kind).toBe('absent');
    }
    expect(snapshot.sampler.cpuSeconds).toBeGreaterThan(0);
  });

  it('follows a change of the interval', async () => {
    const sampler = start(500);
    await nextSnapshot(sampler);
    sampler.setIntervalMs(20);
    // What is sampled within 0.8 s comes together.
    expect((await collect(sampler, 1.2)).length).toBeGreaterThan(20);
    expect(sampler.latest().sources.host?.cost?.intervalMs).toBe(20);
  });

  it('takes a snapshot at once when it is asked to, and keeps its ticks', async () => {
    const sampler = start(60_000);
    await nextSnapshot(sampler);
    const askedNs = process.hrtime.bigint();
    sampler.sample('host');
    const { tickNs, source } = await nextSnapshot(sampler);
    expect(source).toBe('host');
    expect(Number(tickNs - askedNs) / 1e9).toBeGreaterThan(0);
    expect(Number(tickNs - askedNs) / 1e9).toBeLessThan(5);
  });

  it('is replaced when it is killed', async () => {
    const sampler = start(50);
    const killed = (await nextSnapshot(sampler)).sampler.pid;
    process.kill(killed, 'SIGKILL');
    await until(() => sampler.health().state === 'down');
    expect(sampler.latest()).not.toHaveProperty('memory');
    const snapshot = await nextSnapshot(sampler);
    expect(snapshot.sampler.pid).not.toBe(killed);
    expect(sampler.health().sources.host).toMatchObject({
      state: 'up',
      restarts: 1,
      problem: { kind: 'sampler-exited', message: expect.stringContaining('SIGKILL') },
    });
  });

  it('is replaced when it hangs', async () => {
    const sampler = start(50);
    const hung = (await nextSnapshot(sampler)).sampler.pid;
    process.kill(hung, 'SIGSTOP');
    await until(() => sampler.health().state === 'down');
    expect(sampler.health().sources.host?.problem?.kind).toBe('sampler-silent');
    const snapshot = await nextSnapshot(sampler);
    expect(snapshot.sampler.pid).not.toBe(hung);
    expect(isRunning(hung)).toBe(false);
  });

  it('leaves no descriptor, process or timer of its parent behind when it is replaced', async () => {
    const sampler = start(50, { ...quick, firstBackoffMs: 10, maxBackoffMs: 10 });
    const open = () => readdirSync('/proc/self/fd').length;
    const pids = [(await nextSnapshot(sampler)).sampler.pid];
    await until(() => sampler.health().state === 'up');
    await sleep(500);
    const before = open();
    for (let round = 0; round < 5; round += 1) {
      process.kill(pids.at(-1) ?? 0, 'SIGKILL');
      await until(() => sampler.health().sources.host?.restarts === round + 1);
      pids.push((await nextSnapshot(sampler)).sampler.pid);
    }
    await until(() => open() <= before);
    expect(pids.slice(0, -1).filter(isRunning)).toEqual([]);
    expect(new Set(pids).size).toBe(6);
  });

  it('says what a sampler that cannot run said last', async () => {
    const sampler = start(50, quick, new URL('no-such-file.js', entry));
    await until(() => sampler.health().sources.host?.state === 'down');
    expect(sampler.health().sources.host?.problem).toMatchObject({
      kind: 'sampler-exited',
      message: expect.stringMatching(/status 1.*no-such-file\.js/),
    });
  });

  it('ends on stop', async () => {
    const sampler = startSampler({ entry, intervalMs: 50, limits: quick });
    const { pid } = (await nextSnapshot(sampler)).sampler;
    await sampler.stop();
    expect(isRunning(pid)).toBe(false);
  });

  it('survives Ctrl-C, which its parent answers', async () => {
    const sampler = start(50);
    const { pid } = (await nextSnapshot(sampler)).sampler;
    const { restarts } = sampler.health().sources.host ?? {};
    process.kill(pid, 'SIGINT');
    await collect(sampler, 0.3);
    expect(sampler.health().sources.host).toMatchObject({ state: 'up', restarts });
  });

  it('ends when its parent is killed', async () => {
    const script = `
      const { startSampler } = await import(${JSON.stringify(samplerModule.href)});
      const sampler = startSampler({ entry: new URL(${JSON.stringify(entry.href)}), intervalMs: 50 });
      sampler.onSnapshot((snapshot) => console.log(snapshot.sampler.pid));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const samplerPid = Number(output.toString().split('\n')[0]);
    expect(isRunning(samplerPid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isRunning(samplerPid));
  });

  it('does not keep its parent from ending', async () => {
    const script = `
      const { startSampler } = await import(${JSON.stringify(samplerModule.href)});
      const sampler = startSampler({ entry: new URL(${JSON.stringify(entry.href)}), intervalMs: 50 });
      await new Promise((resolve) => setTimeout(resolve, 300));`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: 'inherit',
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [code] = (await once(parent, 'exit')) as [number | null];
    expect(code).toBe(0);
  });

  it('drops snapshots instead of growing when its parent does not read, and counts them', async () => {
    const child = fork(fileURLToPath(entry), { execArgv: [], stdio: [...SAMPLER_STDIO] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const roots = { procPath: '/proc', sysPath: '/sys', cgroupPath: '/sys/fs/cgroup' };
    // A parent without a listener leaves the pipe unread.
    child.send({ type: 'start', source: 'host', roots, intervalMs: 1, pids: [], leftOut: [] });
    await sleep(2000);
    const received: Snapshot[] = [];
    const lines = createInterface({ input: child.stdio[SNAPSHOTS_DESCRIPTOR] as Readable });
    lines.on('line', (line) => received.push(...decodeSnapshots(line)));
    await until(() => (received.at(-1)?.sampler.missedTicks ?? 0) > 100);
  });
});
