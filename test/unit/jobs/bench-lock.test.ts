import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  acquireBenchLock,
  type BenchLock,
  type BenchLockOptions,
  benchLockFolder,
  describeHolder,
} from '../../../src/jobs/bench-lock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

const held: BenchLock[] = [];
afterEach(() => {
  for (const lock of held.splice(0)) lock.release();
});

async function acquire(folder: string, options: Partial<BenchLockOptions> = {}, device = 'cpu') {
  const answer = await acquireBenchLock(device, { folder, waitMs: 0, pollMs: 5, ...options });
  if (answer.ok) held.push(answer.value);
  return answer;
}

function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[22 - 3] as string;
}

/** A claim as another process would put it down. */
function claim(folder: string, pid: number, { start = startOf(pid), text = '{"device":"cuda"}' } = {}) {
  const file = join(folder, `ptq-agent-bench-${pid}-${start}-0123abcd.lock`);
  writeFileSync(file, text);
  return file;
}

async function sleeper() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

describe.skipIf(process.platform !== 'linux')('acquireBenchLock (skipped off Linux)', () => {
  it('is had by one at a time, also within a process, and by the next when it is given back', async () => {
    const folder = temporaryFolder();
    const first = unwrap(await acquire(folder));
    expect(readdirSync(folder)).toHaveLength(1);
    expect((await acquire(folder)).ok).toBe(false);
    first.release();
    expect(readdirSync(folder)).toEqual([]);
    const second = unwrap(await acquire(folder));
    // Twice given back is not taken away from the next.
    first.release();
    expect((await acquire(folder)).ok).toBe(false);
    second.release();
  });

  it('leaves no listener behind', async () => {
    const before = process.listenerCount('exit');
    const lock = unwrap(await acquire(temporaryFolder()));
    expect(process.listenerCount('exit')).toBe(before + 1);
    lock.release();
    expect(process.listenerCount('exit')).toBe(before);
  });

  it('says who has it, on what, since when, and what to do', async () => {
    const folder = temporaryFolder();
    const lock = unwrap(await acquire(folder, {}, 'cuda:1'));
    expect(await acquire(folder)).toEqual({
      ok: false,
      error: {
        kind: 'bench-locked',
        message: expect.stringMatching(
          new RegExp(
            `^another benchmark is under way on this host: process ${process.pid} benchmarks on cuda:1, for .*s so far$`,
          ),
        ),
        place: { file: lock.file },
        hint: `wait until it is done, or end process ${process.pid}`,
      },
    });
  });

  it('waits for the one who has it, and tells so once', async () => {
    const folder = temporaryFolder();
    const first = unwrap(await acquire(folder));
    const told: number[] = [];
    const second = acquire(folder, { waitMs: 30_000, onWaiting: ({ pid }) => told.push(pid) });
    await new Promise((resolve) => setTimeout(resolve, 50));
    first.release();
    expect((await second).ok).toBe(true);
    expect(told).toEqual([process.pid]);
  });

  it('waits no longer than it was told', async () => {
    const folder = temporaryFolder();
    await acquire(folder);
    const before = performance.now();
    expect(await acquire(folder, { waitMs: 60 })).toMatchObject({ error: { kind: 'bench-locked' } });
    expect(performance.now() - before).toBeGreaterThanOrEqual(59);
  });

  it('stops waiting when it is cancelled, and does not begin when it was', async () => {
    const folder = temporaryFolder();
    await acquire(folder);
    const abort = new AbortController();
    const waiting = acquire(folder, { waitMs: 30_000, pollMs: 30_000, signal: abort.signal });
    abort.abort();
    expect(await waiting).toMatchObject({ error: { kind: 'cancelled' } });
    const untouched = temporaryFolder();
    expect(await acquire(untouched, { signal: AbortSignal.abort() })).toMatchObject({
      error: { kind: 'cancelled' },
    });
    expect(readdirSync(untouched)).toEqual([]);
  });

  it('respects a living process, whatever its file holds', async () => {
    const child = await sleeper();
    for (const text of ['', '{', 'null', '[]', '{"device":5}', '\0\x1b[2J', 'x'.repeat(1e5)]) {
      const folder = temporaryFolder();
      claim(folder, child.pid as number, { text });
      expect(await acquire(folder)).toMatchObject({
        error: { kind: 'bench-locked', message: expect.stringMatching(/: process \d+ benchmarks, for/) },
      });
    }
    child.kill('SIGKILL');
  });

  it('shows no control characters that somebody wrote as a device', async () => {
    const child = await sleeper();
    const folder = temporaryFolder();
    claim(folder, child.pid as number, { text: JSON.stringify({ device: 'cpu\x1b[2J' }) });
    const answer = await acquire(folder);
    expect(!answer.ok && answer.error.message).toMatch(/benchmarks, for/);
    child.kill('SIGKILL');
  });

  it('takes the place of a process that is gone, and removes its claim', async () => {
    const child = await sleeper();
    const folder = temporaryFolder();
    const file = claim(folder, child.pid as number);
    expect((await acquire(folder)).ok).toBe(false);
    process.kill(child.pid as number, 'SIGKILL');
    await once(child, 'exit');
    expect((await acquire(folder)).ok).toBe(true);
    expect(existsSync(file)).toBe(false);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('takes the place of a process that has ended and whose parent has not asked how', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    await vi.waitFor(() => expect(readFileSync(`/proc/${line}/stat`, 'utf8')).toMatch(/\) Z /));
    const folder = temporaryFolder();
    claim(folder, Number(line));
    expect((await acquire(folder)).ok).toBe(true);
    parent.kill('SIGKILL');
  });

  it('takes the place of a process whose pid is another process now', async () => {
    const folder = temporaryFolder();
    claim(folder, process.pid, { start: '1' });
    expect((await acquire(folder)).ok).toBe(true);
  });

  it.runIf(process.getuid?.() === 0)(
    "does not believe a user's claim in the name of another's process (skipped unless root)",
    async () => {
      const folder = temporaryFolder();
      const file = claim(folder, process.pid);
      expect((await acquire(folder)).ok).toBe(false);
      chownSync(file, 12345, 12345);
      expect((await acquire(folder)).ok).toBe(true);
    },
  );

  it('is not stopped by files that are no claims', async () => {
    const folder = temporaryFolder();
    const start = startOf(process.pid);
    for (const name of [
      'ptq-agent-bench-0-1-0123abcd.lock',
      'ptq-agent-bench--1-1-0123abcd.lock',
      `ptq-agent-bench-9999999999-${start}-0123abcd.lock`,
      `ptq-agent-bench-${process.pid}-${start}-xyz.lock`,
      `ptq-agent-bench-${process.pid}-${start}-0123abcd.lock.tmp`,
      'other.lock',
    ]) {
      writeFileSync(join(folder, name), '');
    }
    symlinkSync('/dev/zero', join(folder, `ptq-agent-bench-${process.pid}-${start}-00000001.lock`));
    mkdirSync(join(folder, `ptq-agent-bench-${process.pid}-${start}-00000002.lock`));
    expect((await acquire(folder)).ok).toBe(true);
  });

  it('goes by the pid where /proc hides the processes of others, and where there is none', async () => {
    const folder = temporaryFolder();
    claim(folder, process.pid, { start: '1' });
    const procPath = temporaryFolder();
    expect(await acquire(folder, { procPath })).toMatchObject({ error: { kind: 'bench-locked' } });
    const other = temporaryFolder();
    const lock = unwrap(await acquire(other, { procPath }));
    expect(lock.file).toContain(`-${process.pid}-0-`);
    expect((await acquire(other)).ok).toBe(false);
  });

  it('names the folder that does not exist, or is none', async () => {
    const folder = join(temporaryFolder(), 'missing');
    expect(await acquire(folder)).toMatchObject({
      error: {
        kind: 'bench-lock-unavailable',
        message: expect.stringContaining('ENOENT'),
        place: { file: folder },
      },
    });
    writeFileSync(folder, '');
    expect(await acquire(folder)).toMatchObject({
      error: { kind: 'bench-lock-unavailable', message: expect.stringContaining('ENOTDIR') },
    });
  });
});

describe('benchLockFolder', () => {
  it('is the first that is sticky and open to everybody', () => {
    const [mine, open, shared] = ['mine', 'open', 'shared'].map((name) => join(temporaryFolder(), name));
    for (const [folder, mode] of [
      [mine, 0o755],
      [open, 0o777],
      [shared, 0o1777],
    ] as const) {
      mkdirSync(folder as string);
      chmodSync(folder as string, mode);
    }
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(benchLockFolder(['/nowhere', file, mine, open, shared] as string[], {})).toBe(shared);
  });

  it('is that for temporary files where there is none', () =>
    expect(benchLockFolder(['/nowhere'], {})).toBe(tmpdir()));

  it('is the one that the environment names, whatever else there is', () =>
    expect(benchLockFolder(['/tmp'], { PTQ_AGENT_LOCK_DIR: '/locks' })).toBe('/locks'));
});

it('says how long a benchmark has been under way', () => {
  const clock = { nowNs: () => 0n, wallMs: () => 1_000_000 };
  const holder = { file: '/f', pid: 7, device: 'cuda', sinceMs: 800_000 };
  expect(describeHolder(holder, clock)).toBe('process 7 benchmarks on cuda, for 3 min 20 s so far');
  // A clock that was set back.
  expect(describeHolder({ ...holder, device: null, sinceMs: 2e6 }, clock)).toMatch(
    /^process 7 benchmarks, for 0/,
  );
});
