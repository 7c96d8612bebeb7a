import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acquireBenchLock } from '../../src/jobs/bench-lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unwrap } from '../support/unwrap.ts';

const COMPILED = fileURLToPath(new URL('../../dist/jobs/bench-lock.js', import.meta.url));

const MODULE = new URL('../../src/jobs/bench-lock.ts', import.meta.url).href;

/*
 * A process that takes the lock again and again. While it has it, it holds a file that only one can make, and leaves marks in a
 * log; with `keep` it never gives the lock back.
 */
const SCRIPT = `
import { appendFileSync, closeSync, openSync, unlinkSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { acquireBenchLock } from '${MODULE}';

const [folder, log, rounds, mode] = process.argv.slice(2);
for (let round = 0; round < Number(rounds); round += 1) {
  const answer = await acquireBenchLock('cpu', { folder, waitMs: 60_000, pollMs: 5 });
  if (!answer.ok) throw new Error(answer.error.message);
  if (mode === 'keep') {
    console.log('held');
    await setTimeout(60_000);
  }
  if (mode === 'exit') process.exit(0);
  try {
    closeSync(openSync(log + '.witness', 'wx'));
  } catch {
    appendFileSync(log, 'overlap\\n');
  }
  await setTimeout(2);
  unlinkSync(log + '.witness');
  appendFileSync(log, process.pid + '\\n');
  answer.value.release();
}
`;

function start(folder: string, log: string, rounds: number, mode = 'race'): ChildProcess {
  const script = join(folder, '..', `${mode}.mts`);
  writeFileSync(script, SCRIPT);
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, log, String(rounds), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** What a user without any rights is answered. */
function asNobody(folder: string): string {
  // From standard input and with plain modules, as that user may read neither the test's folder nor caches of others.
  const script = `
    import { acquireBenchLock } from '${pathToFileURL(COMPILED).href}';
    const answer = await acquireBenchLock('cpu', { folder: '${folder}', waitMs: 0 });
    process.stdout.write(answer.ok ? 'acquired' : answer.error.kind + ' ' + answer.error.message);`;
  const user = { uid: 65534, gid: 65534 };
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module'], {
    ...user,
    input: script,
    encoding: 'utf8',
    cwd: '/',
  });
  return stdout + stderr;
}

function folders() {
  const base = temporaryFolder();
  const locks = join(base, 'locks');
  mkdirSync(locks);
  return { locks, log: join(base, 'log') };
}

describe.skipIf(process.platform !== 'linux')('the lock among processes (skipped off Linux)', () => {
  it('is never had by two at once, and everybody gets it in the end', async () => {
    const { locks, log } = folders();
    const children = [1, 2, 3].map(() => start(locks, log, 25));
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual([0, 0, 0]);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines).not.toContain('overlap');
    expect(lines).toHaveLength(75);
    for (const { pid } of children) expect(lines.filter((line) => line === `${pid}`)).toHaveLength(25);
    expect(readdirSync(locks)).toEqual([]);
  });

  it('is free when the one who had it was killed', async () => {
    const { locks, log } = folders();
    const holder = start(locks, log, 1, 'keep');
    await once(createInterface(holder.stdout as NodeJS.ReadableStream), 'line');
    const refused = await acquireBenchLock('cuda', { folder: locks, waitMs: 0 });
    expect(refused).toMatchObject({
      error: {
        kind: 'bench-locked',
        message: expect.stringContaining(`process ${holder.pid} benchmarks on cpu`),
      },
    });
    const waiting = acquireBenchLock('cuda', { folder: locks, waitMs: 30_000, pollMs: 10 });
    holder.kill('SIGKILL');
    const lock = unwrap(await waiting);
    expect(readdirSync(locks)).toHaveLength(1);
    lock.release();
  });

  it.runIf(process.getuid?.() === 0 && existsSync(COMPILED))(
    'keeps users apart, and a crash of one does not lock out another (skipped unless root, and compiled)',
    async () => {
      const { locks, log } = folders();
      chmodSync(locks, 0o1777);
      const holder = start(locks, log, 1, 'keep');
      await once(createInterface(holder.stdout as NodeJS.ReadableStream), 'line');
      chmodSync(join(locks, '..'), 0o755);
      expect(asNobody(locks)).toContain(
        `bench-locked another benchmark is under way on this host: process ${holder.pid}`,
      );
      holder.kill('SIGKILL');
      await once(holder, 'exit');
      expect(asNobody(locks)).toBe('acquired');
      // What the other user left behind cannot be removed by this one, and does not matter.
      expect(readdirSync(locks)).toHaveLength(1);
      chmodSync(locks, 0o755);
      expect(asNobody(locks)).toMatch(/^bench-lock-unavailable .*EACCES/);
    },
  );

  it('is given back by a process that just ends', async () => {
    const { locks, log } = folders();
    expect((await once(start(locks, log, 1, 'exit'), 'exit'))[0]).toBe(0);
    expect(readdirSync(locks)).toEqual([]);
  });
});
