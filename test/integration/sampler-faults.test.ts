import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { startSampler } from '../../src/telemetry/sampler.ts';
import { SAMPLER_STDIO } from '../../src/telemetry/sampler-messages.ts';
import { FAULTY_TABLE } from '../support/faulty-sampler-main.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Compiled, as a process that compiles itself takes longer to start than the silence that is allowed here. */
const entry = compile(new URL('../support/faulty-sampler-main.ts', import.meta.url));
const SILENCE_MS = 3000;

/** A sampler of two sources, and what the disks collector of the second is to do. */
function start(behaviour: string) {
  const procPath = temporaryFolder();
  const behave = (next: string, collector = 'disks') => writeFileSync(join(procPath, collector), next);
  behave(behaviour);
  behave('work', 'memory');
  const sampler = startSampler({
    entry,
    intervalMs: 100,
    roots: { procPath, sysPath: procPath, cgroupPath: procPath },
    limits: {
      silenceMs: SILENCE_MS,
      killAfterMs: 300,
      firstBackoffMs: 50,
      maxBackoffMs: 1000,
      firstLeaveOutMs: 3_000,
    },
    collectors: FAULTY_TABLE,
    startProcess: (file) =>
      fork(fileURLToPath(file), {
        execArgv: [],
        env: { ...process.env, PTQ_FAULTY_SAMPLER: '1' },
        stdio: [...SAMPLER_STDIO],
      }),
  });
  onTestFinished(() => sampler.stop());
  let hostSnapshots = 0;
  sampler.onSnapshot(({ source }) => {
    if (source === 'host') hostSnapshots += 1;
  });
  return {
    sampler,
    procPath,
    behave,
    gpu: () => sampler.health().sources.gpu,
    disks: () => sampler.latest().health.disks,
    hostSnapshots: () => hostSnapshots,
  };
}

function compile(source: URL): URL {
  const outfile = join(mkdtempSync(join(tmpdir(), 'ptq-faulty-')), 'sampler-main.mjs');
  buildSync({
    entryPoints: [fileURLToPath(source)],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
  return pathToFileURL(outfile);
}

async function until(condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the awaited condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function stateOf(pid: number): string | undefined {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

afterAll(() => rmSync(dirname(fileURLToPath(entry)), { recursive: true, force: true }));

describe.skipIf(process.platform !== 'linux')(
  'a sampler with a collector that fails',
  { timeout: 60_000 },
  () => {
    it.each([
      ['loops for ever', 'loop for ever', 'R'],
      ['waits in the kernel', 'read a pipe', 'S'],
    ])(
      'that %s: names it, goes on with the other source, and replaces the process',
      async (_how, what, state) => {
        const { sampler, procPath, behave, gpu, disks, hostSnapshots } = start('work');
        execFileSync('mkfifo', [join(procPath, 'pipe')]);
        await until(() => disks()?.status === 'ok' && hostSnapshots() > 0);
        const pid = gpu()?.pid ?? 0;
        const restarts = gpu()?.restarts ?? 0;
        const before = hostSnapshots();
        behave(what);
        const sinceMs = performance.now();
        await until(() => gpu()?.state === 'down');
        const goneMs = performance.now() - sinceMs;
        behave('work');
        expect(gpu()?.problem).toMatchObject({
          kind: 'collector-hung',
          message: expect.stringMatching(new RegExp(`disks hangs.*state ${state}`)),
        });
        expect(sampler.latest()).not.toHaveProperty('pressure');
        expect(sampler.latest()).toHaveProperty('processes');
        // Ten a second are due for as long as it took to find the hang. A third shows that the other source did not
        // wait for it (it would have given none), also where a loaded machine leaves out ticks.
        expect(goneMs).toBeGreaterThan(SILENCE_MS * 0.5);
        expect(hostSnapshots() - before).toBeGreaterThan((SILENCE_MS / 1000) * 10 * 0.33);
        await until(() => disks()?.status === 'ok');
        expect(gpu()).toMatchObject({ state: 'up', restarts: restarts + 1 });
        expect(gpu()?.pid).not.toBe(pid);
        expect(stateOf(pid)).toBeUndefined();
        expect(sampler.health().sources.host).toMatchObject({ state: 'up', restarts: 0 });
      },
    );

    it.each([
      ['loops for ever', 'loop for ever', 'R'],
      ['waits in the kernel', 'read a pipe', 'S'],
    ])('in a thread that %s: names it too', async (_how, what, state) => {
      const { sampler, procPath, behave } = start('work');
      execFileSync('mkfifo', [join(procPath, 'pipe')]);
      const host = () => sampler.health().sources.host;
      await until(() => sampler.latest().memory !== undefined);
      const pid = host()?.pid ?? 0;
      behave(what, 'memory');
      await until(() => host()?.state === 'down');
      behave('work', 'memory');
      expect(host()?.problem).toMatchObject({
        kind: 'collector-hung',
        message: expect.stringMatching(new RegExp(`memory hangs.*state ${state}`)),
      });
      await until(() => sampler.latest().memory !== undefined);
      expect(stateOf(pid)).toBeUndefined();
    });

    it('that hangs three times in a row: leaves it out, so that its neighbour comes back, and tries it again', async () => {
      const { sampler, behave, gpu, disks } = start('loop for ever');
      await until(() => gpu()?.leftOut?.disks !== undefined);
      await until(() => sampler.latest().pressure !== undefined);
      const restarts = gpu()?.restarts;
      expect(disks()).toMatchObject({
        status: 'down',
        problem: { kind: 'collector-left-out', message: expect.stringContaining('3 times in a row') },
      });
      behave('work');
      await until(() => disks()?.status === 'ok');
      // In the same process, without another restart.
      expect(gpu()).toMatchObject({ state: 'up', restarts });
      expect(gpu()).not.toHaveProperty('leftOut');
    });

    it('whose process crashes: starts another and touches no other source', async () => {
      const { sampler, behave, gpu, disks } = start('work');
      await until(() => disks()?.status === 'ok');
      behave('crash');
      await until(() => gpu()?.state === 'down');
      behave('work');
      expect(gpu()?.problem).toMatchObject({
        kind: 'sampler-exited',
        message: expect.stringContaining('SIGABRT'),
      });
      await until(() => disks()?.status === 'ok');
      expect(sampler.health().sources.host).toMatchObject({ state: 'up', restarts: 0 });
    });

    it('whose process is stopped: does not blame a collector, and replaces the process', async () => {
      const { gpu, disks } = start('work');
      await until(() => disks()?.status === 'ok');
      const pid = gpu()?.pid ?? 0;
      process.kill(pid, 'SIGSTOP');
      await until(() => gpu()?.state === 'down');
      expect(gpu()?.problem).toMatchObject({
        kind: 'sampler-silent',
        message: expect.stringContaining('(process state T)'),
      });
      await until(() => disks()?.status === 'ok');
      expect(stateOf(pid)).toBeUndefined();
    });
  },
);
