import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Daemon, startDaemon, until } from '../support/daemon.ts';
import { receiveDatagrams } from '../support/datagram-receiver.ts';
import { childrenOf, isBuilt, isRunning, writeProfile } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function start(
  models: Readonly<Record<string, Parameters<typeof writeProfile>[2]>>,
  {
    settings = '',
    env = {},
  }: { readonly settings?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Daemon> {
  const folder = temporaryFolder();
  const [profiles, config] = [join(folder, 'profiles'), join(folder, 'agent.yaml')];
  mkdirSync(profiles);
  for (const [name, choices] of Object.entries(models)) writeProfile(profiles, name, choices);
  writeFileSync(config, settings);
  const daemon = await startDaemon(profiles, join(folder, 'data'), { args: ['--config', config], env });
  onTestFinished(async () => {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
  });
  return daemon;
}

/** Waits until the first run is under way, and gives its id. */
const firstRunning = (daemon: Daemon) =>
  until(async () => (await daemon.runs()).find(({ state }) => state === 'running')?.id);

/** A module that blocks the loop of the program for so long when it gets SIGUSR2. */
function hangs(seconds: number): string {
  const file = join(temporaryFolder(), 'hang.mjs');
  const wait = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${seconds * 1e3})`;
  const text = `import { writeSync } from 'node:fs'; process.on('SIGUSR2', () => { writeSync(2, 'it hangs\\n'); ${wait}; });`;
  writeFileSync(file, text);
  return pathToFileURL(file).href;
}

describe.skipIf(!isBuilt)('A daemon under a service manager', { timeout: 180_000 }, () => {
  it('tells when it serves, reloads, lives and stops, and keeps that from its processes', async () => {
    const address = join(temporaryFolder(), 'notify');
    const received = receiveDatagrams(address);
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '1000000' };
    const daemon = await start({}, { env });
    await until(() => received().some((text) => text.startsWith('READY=1\nSTATUS=0 models')) || undefined);
    await until(() => received().filter((text) => text === 'WATCHDOG=1').length > 2 || undefined);
    for (const child of childrenOf(daemon.pid))
      expect(readFileSync(`/proc/${child}/environ`, 'utf8')).not.toMatch(/NOTIFY_SOCKET|WATCHDOG/);

    const before = received().length;
    const nowUsec = process.hrtime.bigint() / 1000n;
    daemon.child.kill('SIGHUP');
    await until(
      () =>
        received()
          .slice(before)
          .some((text) => text.startsWith('READY=1')) || undefined,
    );
    const reloading = received()
      .slice(before)
      .find((text) => text.startsWith('RELOADING=1'));
    const [, usec = '0'] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading ?? '') ?? [];
    expect(Number(BigInt(usec) - nowUsec) / 1e6).toBeGreaterThanOrEqual(0);
    expect(Number(BigInt(usec) - nowUsec) / 1e6).toBeLessThan(60);

    daemon.child.kill('SIGTERM');
    expect(await daemon.finished).toMatchObject({ code: 0, stdout: '' });
    expect(received().some((text) => text.startsWith('STOPPING=1\nSTATUS='))).toBe(true);
  });

  it('gives no sign of life while its loop hangs', async () => {
    const address = `@ptq-agent-supervised-${process.pid}`;
    const received = receiveDatagrams(address);
    const env = {
      NOTIFY_SOCKET: address,
      WATCHDOG_USEC: '400000',
      NODE_OPTIONS: `--import ${hangs(12)}`,
    };
    const daemon = await start({}, { env });
    const signs = () => received().filter((text) => text === 'WATCHDOG=1').length;
    await until(() => signs() > 3 || undefined);
    daemon.child.kill('SIGUSR2');
    await until(() => daemon.stderr().includes('it hangs') || undefined);
    const whenItHangs = signs();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(signs()).toBe(whenItHangs);
    await until(() => signs() > whenItHangs + 2 || undefined);
  });
});

describe.skipIf(!isBuilt)('A daemon that is to stop', { timeout: 180_000 }, () => {
  it('lets a run end and followers hear of it, takes no orders meanwhile, and ends with 0', async () => {
    const daemon = await start({ tiny: { duration: '4s' } }, { settings: 'stop: { grace: 10m }\n' });
    const id = await firstRunning(daemon);
    const waiting = await daemon.order({ model: 'tiny' });
    const events = await Promise.all([id, waiting.id].map((of) => daemon.get(`/bench/${of}/events`)));
    daemon.child.kill('SIGTERM');
    await until(async () => ((await daemon.get('/-/ready')).status === 503 ? true : undefined));
    expect(await (await daemon.get('/-/ready')).json()).toEqual({ status: 'stopping' });
    expect((await daemon.get('/-/healthy')).status).toBe(200);
    const refused = await daemon.post('/bench', { model: 'tiny' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await refused.json()).toMatchObject({ type: '/problems/daemon-stopping' });
    const [ofRun = '', ofWaiting = ''] = await Promise.all(events.map((answer) => answer.text()));
    expect(ofRun).toMatch(/event: end\ndata: .*"succeeded"/);
    expect(ofWaiting).toMatch(/event: stopping\n/);
    expect(ofWaiting).not.toMatch(/event: end\n/);
    expect((await daemon.finished).code).toBe(0);
  });

  it('interrupts a run that does not end in time', async () => {
    const daemon = await start({ tiny: { duration: '10m' } }, { settings: 'stop: { grace: 1s }\n' });
    const id = await firstRunning(daemon);
    const children = childrenOf(daemon.pid);
    const events = await daemon.get(`/bench/${id}/events`);
    daemon.child.kill('SIGTERM');
    expect(await events.text()).toMatch(/event: end\ndata: .*"interrupted"/);
    expect((await daemon.finished).code).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });

  it('ends at once at a second signal, with all its processes', async () => {
    const daemon = await start({ tiny: { duration: '10m' } }, { settings: 'stop: { grace: 10m }\n' });
    await firstRunning(daemon);
    daemon.child.kill('SIGTERM');
    await until(async () => ((await daemon.get('/-/ready')).status === 503 ? true : undefined));
    const children = childrenOf(daemon.pid);
    daemon.child.kill('SIGTERM');
    expect((await daemon.finished).code).toBe(130);
    await until(() => children.filter(isRunning).length === 0 || undefined);
  });
});
