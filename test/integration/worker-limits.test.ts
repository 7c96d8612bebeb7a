import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { affinityOf } from '../../src/jobs/cpu-affinity.ts';
import { runTask, WorkerProcess } from '../../src/jobs/worker-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

/*
 * A worker whose model's name says what it does with memory: `grow` takes more without end, `modest` takes 100 MB and
 * answers, `slow` answers after a second, `wait` never does. It answers with its threads' CPUs and ignores SIGTERM.
 */
const SCRIPT = String.raw`
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const blocks = [];
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => {});
process.on('message', async ({ modelPath }) => {
  if (modelPath === 'grow') process.send({ kind: 'progress', progress: {} });
  if (modelPath === 'grow') for (;;) { blocks.push(Buffer.alloc(32e6, 1)); await setTimeout(5); }
  if (modelPath === 'modest') { blocks.push(Buffer.alloc(100e6, 1)); await setTimeout(700); }
  if (modelPath === 'slow') await setTimeout(1000);
  if (modelPath === 'wait') { process.send({ kind: 'progress', progress: {} }); return; }
  new Worker('setTimeout(() => {}, 50)', { eval: true });
  const allowed = readdirSync('/proc/self/task').map(
    (thread) => /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/task/' + thread + '/status', 'utf8'))[1]);
  process.send({ kind: 'done', value: { pid: process.pid, allowed: [...new Set(allowed)], argv: process.execArgv } });
});
`;

function entry(): URL {
  const file = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(file, SCRIPT);
  return pathToFileURL(file);
}

const task = (modelPath: string) => ({ kind: 'inspect', modelPath }) as never;

describe.skipIf(process.platform !== 'linux')(
  'a worker with a limit on its memory (skipped off Linux)',
  () => {
    const MEGABYTE = 1e6;

    it('is ended when it takes more, with the figures and what to do', async () => {
      const answer = await runTask({ entry: entry() }, task('grow'), { maxRssBytes: 300 * MEGABYTE });
      expect(answer).toMatchObject({
        ok: false,
        error: {
          kind: 'memory-limit-exceeded',
          message: expect.stringMatching(
            /^the worker had .* of memory resident, more than the 286 MiB that it may have$/,
          ),
          hint: expect.stringContaining('raise the limit'),
        },
      });
    });

    it('tells whoever asks later too, and is gone', async () => {
      const worker = new WorkerProcess({ entry: entry() }, { maxRssBytes: 300 * MEGABYTE });
      await worker.ask(task('grow'));
      expect((await worker.exited).kind).toBe('memory-limit-exceeded');
      expect(await worker.ask(task('slow'))).toMatchObject({ error: { kind: 'memory-limit-exceeded' } });
      expect(existsSync(`/proc/${worker.pid}`)).toBe(false);
    });

    it('works as ever below it', async () => {
      const answer = await runTask({ entry: entry() }, task('modest'), { maxRssBytes: 400 * MEGABYTE });
      expect(answer.ok).toBe(true);
    });

    it('was cancelled when it was, whatever it took', async () => {
      const abort = new AbortController();
      const answer = runTask({ entry: entry() }, task('grow'), {
        signal: abort.signal,
        maxRssBytes: 300 * MEGABYTE,
        killAfterMs: 60_000,
        onEvent: () => abort.abort(),
      });
      expect(await answer).toMatchObject({ error: { kind: 'cancelled' } });
    });
  },
);

const allowedHere = process.platform === 'linux' ? unwrap(affinityOf(process.pid)) : [];
const unpinnable =
  process.platform !== 'linux'
    ? 'only Linux has taskset'
    : spawnSync('taskset', ['--version']).status !== 0
      ? 'needs taskset (util-linux)'
      : undefined;

describe.skipIf(unpinnable !== undefined)(`a worker kept to CPUs (skipped: ${unpinnable})`, () => {
  const cpu = allowedHere.at(-1) as number;

  it('runs there with all its threads, keeps its channel, and is the process that is known', async () => {
    const worker = new WorkerProcess({ entry: entry(), cpus: [cpu] });
    const answer = unwrap(await worker.ask(task('slow'))) as {
      pid: number;
      allowed: string[];
      argv: string[];
    };
    expect(answer).toEqual({ pid: worker.pid, allowed: [`${cpu}`], argv: process.execArgv });
    expect(affinityOf(worker.pid as number)).toEqual({ ok: true, value: [cpu] });
    expect(readFileSync(`/proc/${worker.pid}/cmdline`, 'utf8')).toMatch(/node/);
    await worker.close();
    expect(existsSync(`/proc/${worker.pid}`)).toBe(false);
    expect(affinityOf(worker.pid as number).ok).toBe(false);
  });

  it('may run wherever this process may when no CPUs are given', async () => {
    const worker = new WorkerProcess({ entry: entry() });
    await worker.ask(task('slow'));
    expect(unwrap(affinityOf(worker.pid as number))).toEqual(allowedHere);
    await worker.close();
  });

  it('ends when it is cancelled', async () => {
    const abort = new AbortController();
    const answer = await runTask({ entry: entry(), cpus: [cpu] }, task('wait'), {
      signal: abort.signal,
      killAfterMs: 100,
      onEvent: () => abort.abort(),
    });
    expect(answer).toMatchObject({ error: { kind: 'cancelled' } });
  });

  it('ends when its parent is killed', async () => {
    const module = new URL('../../src/jobs/worker-process.ts', import.meta.url).href;
    // In a file: a parent that runs a script of its command line would hand it on to its child.
    const script = join(temporaryFolder(), 'parent.mts');
    writeFileSync(
      script,
      `import { WorkerProcess } from '${module}';
      const worker = new WorkerProcess({ entry: new URL('${entry().href}'), cpus: [${cpu}] },
        { onEvent: () => { process.stdout.write(String(worker.pid)); process.kill(process.pid, 'SIGKILL'); } });
      await worker.ask({ kind: 'inspect', modelPath: 'wait' } as never);`,
    );
    const parent = spawnSync(process.execPath, ['--import', 'tsx', script], {
      encoding: 'utf8',
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    expect(parent.signal).toBe('SIGKILL');
    expect(Number(parent.stdout)).toBeGreaterThan(1);
    await vi.waitFor(() => expect(isRunning(Number(parent.stdout))).toBe(false), 5000);
  });

  it('tells that the kernel refused the CPUs', async () => {
    expect(await runTask({ entry: entry(), cpus: [8191] }, task('slow'))).toMatchObject({
      error: {
        kind: 'cannot-pin-worker',
        message: expect.stringContaining('taskset: '),
        hint: expect.stringContaining('online'),
      },
    });
  });
});

it('names the package where there is no taskset', async () => {
  vi.stubEnv('PATH', temporaryFolder());
  const answer = await runTask({ entry: entry(), cpus: [0] }, task('slow'));
  vi.unstubAllEnvs();
  expect(answer).toMatchObject({
    error: {
      kind: 'cannot-pin-worker',
      message: 'the worker cannot be kept to CPUs 0: there is no program taskset',
      hint: expect.stringContaining('util-linux'),
    },
  });
});

/** False for a zombie too, which nobody may wait for. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
