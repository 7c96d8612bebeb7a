import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Daemon, ended, startDaemon, until } from '../support/daemon.ts';
import { profilerClient } from '../support/profiler-client.ts';
import { childrenOf, isBuilt, isRunning, writeProfile } from '../support/program.ts';
import type { ReadXSpace } from '../support/read-xspace.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { findTracePython, readTrace } from '../support/trace-viewers.ts';
import { unfinished } from '../support/unfinished.ts';

interface BenchShown {
  readonly valid: boolean;
  readonly invalidReasons: readonly string[];
  readonly queries: number;
}

async function serving(duration: string) {
  const folder = temporaryFolder();
  const [profiles, dataDir] = [join(folder, 'profiles'), join(folder, 'data')];
  writeProfile(profiles, 'tiny', { duration });
  const daemon = await startDaemon(profiles, dataDir);
  onTestFinished(async () => {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
  });
  const first = async () => (await daemon.runs())[0];
  return {
    daemon,
    first,
    client: profilerClient(daemon.profilerPort),
    benching: () => until(async () => (await first())?.progress?.phase === 'bench' || undefined),
    left: () => unfinished(dataDir),
  };
}

/** Names of the lines of the host's plane. */
function linesOf(xspace: ReadXSpace | undefined): readonly string[] {
  return xspace?.planes.find(({ name }) => name === '/host:CPU')?.lines.map(({ name }) => name) ?? [];
}

/** How many times the model was called, by the name of the line. */
function requestsOf(xspace: ReadXSpace | undefined): Readonly<Record<string, number>> {
  const lines = xspace?.planes.find(({ name }) => name === '/host:CPU')?.lines ?? [];
  return Object.fromEntries(
    lines
      .map(
        ({ name, events }) => [name, events.filter((event) => event.name === 'SessionRun').length] as const,
      )
      .filter(([, count]) => count > 0),
  );
}

function openFiles({ pid }: Daemon): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function residentBytes({ pid }: Daemon): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** A replay starts two processes, and a run comes first. */
const TIMEOUT_MS = 180_000;

describe.skipIf(!isBuilt)('captures of a daemon (skipped where `npm run build` was not run)', () => {
  it(
    'show the benchmark in flight, which then says that it is invalid',
    async () => {
      const { daemon, first, client, benching, left } = await serving('6s');
      await benching();
      const { status, xspace } = await client.profile(1_500);
      expect(status).toBe('OK');
      expect(linesOf(xspace)).toEqual(expect.arrayContaining(['phases']));
      const requests = requestsOf(xspace);
      expect(Object.values(requests).reduce((total, count) => total + count, 0)).toBeGreaterThan(20);
      expect(Object.keys(requests).every((line) => /^bench (fp32|int8)/.test(line))).toBe(true);
      expect(xspace?.planes.map(({ name }) => name)).toContain('/device:CUSTOM:telemetry');
      expect(xspace?.errors).toEqual([]);
      expect(left()).toEqual([]);
      expect(await client.monitor(300)).toContain('of tiny');
      const run = await ended(daemon, (await first())?.id ?? '');
      expect(run.state).toBe('succeeded');
      const benches =
        run.result?.variants.flatMap(({ bench }) => bench as readonly unknown[] as BenchShown[]) ?? [];
      expect(benches).toHaveLength(2);
      for (const { valid, invalidReasons, queries } of benches) {
        expect(valid).toBe(false);
        expect(invalidReasons).toContainEqual(expect.stringContaining('A trace was captured'));
        expect(queries).toBeGreaterThan(100);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'replay the model while nothing runs, five times in a row, and leave nothing behind',
    async () => {
      const { daemon, first, client, left } = await serving('300ms');
      await ended(daemon, (await until(first)).id);
      await client.profile(300);
      const before = {
        files: openFiles(daemon),
        bytes: residentBytes(daemon),
        children: childrenOf(daemon.pid),
      };
      for (let capture = 0; capture < 5; capture += 1) {
        const { status, xspace } = await client.profile(300);
        expect(status).toBe('OK');
        expect(Object.keys(requestsOf(xspace)).toSorted()).toEqual(['bench fp32', 'bench int8']);
        expect(xspace?.warnings).toEqual([expect.stringContaining('Nothing was running: this is a replay')]);
      }
      expect(left()).toEqual([]);
      expect(childrenOf(daemon.pid)).toEqual(before.children);
      expect(openFiles(daemon)).toBeLessThanOrEqual(before.files);
      expect(residentBytes(daemon) - before.bytes).toBeLessThan(30e6);
      const metrics = await (await daemon.get('/metrics')).text();
      expect(metrics).toContain('ptq_captures_total{outcome="succeeded"} 6\n');
    },
    TIMEOUT_MS,
  );

  it(
    'are one at a time, can be ended early, and end with the daemon',
    async () => {
      const { daemon, first, client, left } = await serving('300ms');
      await ended(daemon, (await until(first)).id);
      const long = client.profile(60_000, { sessionId: 'long' });
      await until(async () => daemon.stderr().includes('a capture begins') || undefined);
      expect(await client.profile(100)).toMatchObject({ status: 'RESOURCE_EXHAUSTED' });
      expect((await client.terminate('short')).status).toBe('NOT_FOUND');
      await delay(3_000);
      expect((await client.terminate('long')).status).toBe('OK');
      expect((await long).status).toBe('OK');

      const unfinished = client.profile(60_000);
      await until(async () => childrenOf(daemon.pid, 'worker-main').length > 0 || undefined);
      const children = childrenOf(daemon.pid);
      daemon.child.kill('SIGTERM');
      expect(await daemon.finished).toMatchObject({ code: 0 });
      expect((await unfinished).status).not.toBe('OK');
      expect(children.filter(isRunning)).toEqual([]);
      expect(left()).toEqual([]);
      expect((await client.profile(100)).status).toBe('UNAVAILABLE');
    },
    TIMEOUT_MS,
  );

  it(
    'do no harm when their caller leaves or asks for what there is not',
    async () => {
      const { daemon, first, client, left } = await serving('300ms');
      await ended(daemon, (await until(first)).id);
      const leave = new AbortController();
      const captured = client.profile(60_000, { signal: leave.signal });
      await until(async () => childrenOf(daemon.pid, 'worker-main').length > 0 || undefined);
      leave.abort();
      expect((await captured).status).toBe('CANCELLED');
      await until(
        async () => (left().length === 0 && childrenOf(daemon.pid, 'worker-main').length === 0) || undefined,
      );
      expect((await client.profile(3_600_000)).status).toBe('INVALID_ARGUMENT');
      expect((await client.profile(100, { sessionId: '../'.repeat(10_000) })).status).toBe(
        'INVALID_ARGUMENT',
      );
      expect((await client.profile(100, { sessionId: '../../etc' })).status).toBe('OK');
      expect(daemon.stderr()).not.toContain('..');
      expect(daemon.stderr()).not.toContain('/somewhere/else');
    },
    TIMEOUT_MS,
  );

  const found = findTracePython();
  it(
    'work from the client of TensorFlow',
    async (context) => {
      if ('reason' in found) return context.skip(found.reason);
      const { daemon, first } = await serving('300ms');
      await ended(daemon, (await until(first)).id);
      const logdir = temporaryFolder();
      const address = `127.0.0.1:${daemon.profilerPort}`;
      const capture = [
        'from tensorflow.python.profiler import profiler_client',
        `profiler_client.trace('${address}', '${logdir}', 500)`,
        `print(profiler_client.monitor('${address}', 100, level=2))`,
      ];
      const { stdout } = await promisify(execFile)(found.python, ['-c', capture.join('\n')]);
      expect(stdout).toContain('nothing runs');
      const root = join(logdir, 'plugins/profile');
      const [run = ''] = readdirSync(root);
      const [file = ''] = readdirSync(join(root, run));
      expect(file).toBe(`127.0.0.1_${daemon.profilerPort}.xplane.pb`);
      const seen = await readTrace(found.python, 'tensorflow', join(root, run, file));
      expect(Object.keys(seen.inference_profile).toSorted()).toEqual(['tiny:fp32', 'tiny:int8']);
      expect(Object.values(seen.framework_op_stats.Host).map(({ type }) => type)).toContain('QLinearConv');
    },
    TIMEOUT_MS,
  );
});
