import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Daemon, ended, firstRun, startDaemon, until } from '../support/daemon.ts';
import { isBuilt, runProgram, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MIB = 2 ** 20;

function workspace() {
  const folder = temporaryFolder();
  const [profiles, disk] = [join(folder, 'profiles'), join(folder, 'disk')];
  for (const made of [profiles, disk]) mkdirSync(made);
  const settings = join(folder, 'settings.yaml');
  writeFileSync(settings, `storage: { minFreeBytes: ${20 * MIB} }\n`);
  return { profiles, disk, dataDir: join(disk, 'data'), settings };
}

async function start(...args: Parameters<typeof startDaemon>): Promise<Daemon> {
  const daemon = await startDaemon(...args);
  onTestFinished(async () => {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
  });
  return daemon;
}

async function metric(daemon: Daemon, name: string): Promise<number | undefined> {
  const lines = (await (await daemon.get('/metrics')).text()).split('\n');
  const line = lines.find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

const mount = (...args: readonly string[]) => spawnSync('mount', args).status === 0;

function canMount(): boolean {
  const folder = join(process.env['TMPDIR'] ?? '/tmp', `ptq-mount-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const can = mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
  if (can) spawnSync('umount', [folder]);
  return can;
}

/** A file that leaves so much of a disk. */
function fill(file: string, leftBytes: number, freeBytes: number): void {
  const descriptor = openSync(file, 'w');
  for (let left = freeBytes - leftBytes; left > 0; left -= 65_536)
    writeSync(descriptor, Buffer.alloc(65_536, 1));
  closeSync(descriptor);
}

describe.skipIf(!isBuilt || !canMount())(
  'the disk of a data directory (skipped where nothing is built, or no disk can be mounted)',
  () => {
    it('lets runs wait while it is nearly full, and orders are refused, until there is room', async () => {
      const { profiles, disk, dataDir, settings } = workspace();
      expect(mount('-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk)).toBe(true);
      onTestFinished(() => void spawnSync('umount', ['--lazy', disk]));
      writeProfile(profiles, 'tiny');
      fill(join(disk, 'ballast'), 10 * MIB, 64 * MIB);
      const daemon = await start(profiles, dataDir, { args: ['--config', settings] });
      await until(async () => (await metric(daemon, 'ptq_storage_short')) === 1 || undefined);
      const order = await daemon.post('/bench', { model: 'tiny' });
      expect(order.status).toBe(507);
      expect(await order.json()).toMatchObject({
        type: '/problems/disk-space-low',
        detail: expect.stringMatching(/^\d.* MiB are free on the disk .* and 20\.0 MiB are to stay free$/),
      });
      expect((await daemon.runs()).map(({ state }) => state)).toEqual(['queued']);
      unlinkSync(join(disk, 'ballast'));
      const [{ id } = { id: '' }] = await daemon.runs();
      expect(await ended(daemon, id)).toMatchObject({ state: 'succeeded' });
      expect(await metric(daemon, 'ptq_storage_short')).toBe(0);
      expect((await daemon.post('/bench', { model: 'tiny' })).status).toBe(202);
    }, 180_000);

    it('that becomes read-only costs the runs of that time, and not the daemon', async () => {
      const { profiles, disk, dataDir } = workspace();
      writeProfile(profiles, 'tiny');
      const daemon = await start(profiles, dataDir);
      const first = await firstRun(daemon);
      expect(await ended(daemon, first.id)).toMatchObject({ state: 'succeeded' });
      expect(mount('--bind', disk, disk) && mount('-o', 'remount,bind,ro', disk)).toBe(true);
      const unmount = () => spawnSync('umount', ['--lazy', disk]);
      onTestFinished(() => void unmount());
      const order = await daemon.order({ model: 'tiny', scenario: 'offline', durationSeconds: 1 });
      expect(await ended(daemon, order.id)).toMatchObject({
        state: 'failed',
        problem: {
          kind: 'output-not-writable',
          message: 'the folder of the run cannot be made (EROFS)',
        },
      });
      expect(await metric(daemon, 'ptq_job_failures_total{reason="disk"}')).toBe(1);
      expect((await daemon.get('/-/healthy')).status).toBe(200);
      const second = await runProgram(['serve', '--profiles', profiles, '--data-dir', join(disk, 'other')]);
      expect([second.code, second.stderr]).toEqual([
        2,
        expect.stringContaining('the data directory cannot be written to (EROFS)'),
      ]);
      unmount();
      const again = await daemon.order({ model: 'tiny', scenario: 'offline', durationSeconds: 1 });
      expect(await ended(daemon, again.id)).toMatchObject({ state: 'succeeded' });
    }, 180_000);
  },
);

describe.skipIf(!isBuilt)('a data directory (skipped where `npm run build` was not run)', () => {
  it('is looked at and tidied by gc, of a dead daemon and beside a living one', async () => {
    const { profiles, dataDir } = workspace();
    writeProfile(profiles, 'tiny');
    const daemon = await start(profiles, dataDir);
    const run = await firstRun(daemon);
    await ended(daemon, run.id);
    const gc = (...args: readonly string[]) =>
      runProgram(['gc', '--profiles', profiles, '--data-dir', dataDir, ...args]);
    const beside = await gc('--dry-run', '--json');
    expect(JSON.parse(beside.stdout)).toMatchObject({ dryRun: true, artifactsInUse: 1, removed: [] });
    expect(await gc()).toMatchObject({ code: 2, stderr: expect.stringContaining('data-dir-in-use') });

    const removed = await fetch(`${daemon.url}/bench/${run.id}`, { method: 'DELETE' });
    expect(removed.status).toBe(401);
    daemon.child.kill('SIGKILL');
    await daemon.finished;
    const left = join(dataDir, 'outputs', `${'a'.repeat(64)}.outputs.Ab12Cd`);
    mkdirSync(left);
    const tidied = await gc();
    expect([tidied.code, tidied.stdout]).toEqual([0, expect.stringMatching(/^artifacts +\d/m)]);
    expect(readdirSync(join(dataDir, 'outputs')).filter((name) => name.endsWith('Ab12Cd'))).toEqual([]);
    expect(readdirSync(join(dataDir, 'runs'))).toEqual([run.id]);
  }, 120_000);
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

describe.skipIf(!isBuilt || !hasPrlimit)(
  'a daemon (skipped where nothing is built, or prlimit is missing)',
  () => {
    it('that can open no file any more answers, fails its runs with a reason, and goes on when it can', async () => {
      const { profiles, dataDir } = workspace();
      writeProfile(profiles, 'tiny');
      const daemon = await start(profiles, dataDir);
      const run = await firstRun(daemon);
      await ended(daemon, run.id);
      const setLimit = (files: number) =>
        expect(spawnSync('prlimit', ['--pid', `${daemon.pid}`, `--nofile=${files}:`]).status).toBe(0);
      // Those that it has, and one for whoever asks.
      setLimit(readdirSync(`/proc/${daemon.pid}/fd`).length + 1);
      const order = await daemon.order({ model: 'tiny', scenario: 'offline', durationSeconds: 1 });
      const failed = await ended(daemon, order.id);
      expect(failed.state).toBe('failed');
      expect(failed.problem?.kind).not.toBe('internal-fault');
      expect((await daemon.get('/metrics')).status).toBe(200);
      setLimit(4096);
      const again = await daemon.order({ model: 'tiny', scenario: 'offline', durationSeconds: 1 });
      expect(await ended(daemon, again.id)).toMatchObject({ state: 'succeeded' });
    }, 180_000);
  },
);
