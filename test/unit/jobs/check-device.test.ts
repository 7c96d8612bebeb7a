import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { checkDevice } from '../../../src/jobs/check-device.ts';
import { tryDevice } from '../../../src/jobs/device-trial.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A worker whose driver does this when it is asked for a device. */
function workerThat(behaves: string) {
  const file = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(
    file,
    `process.on('disconnect', () => process.exit(0));\nprocess.on('message', ({ kind, device }) => { ${behaves} });\n`,
  );
  return { entry: pathToFileURL(file) };
}

const ANSWERS =
  "process.send({ kind: 'done', value: { asked: kind, device, openSeconds: 0.1, firstRunSeconds: 0.2 } });";
const REFUSES =
  "process.send({ kind: 'failed', problem: { kind: 'device-unavailable', message: 'no adapter' } });";

describe('the check of a device', () => {
  it('gives what the trial found', async () =>
    expect(await checkDevice(workerThat(ANSWERS), 'cuda')).toEqual({
      ok: true,
      value: { asked: 'device-trial', device: 'cuda', openSeconds: 0.1, firstRunSeconds: 0.2 },
    }));

  it("passes on the trial's own problem", async () =>
    expect(await checkDevice(workerThat(REFUSES), 'webgpu')).toEqual({
      ok: false,
      error: { kind: 'device-unavailable', message: 'no adapter' },
    }));

  it("gives the runtime's own words, without the file of the trial", async () => {
    const refused = {
      kind: 'device-unavailable',
      message: 'no adapter',
      place: { file: '/tmp/x' },
      hint: 'doctor',
    };
    const answer = `process.send({ kind: 'failed', problem: ${JSON.stringify(refused)} })`;
    expect(await checkDevice(workerThat(answer), 'webgpu')).toEqual({
      ok: false,
      error: {
        kind: 'device-unavailable',
        message: 'no adapter',
        hint: expect.stringContaining('VK_DRIVER_FILES'),
      },
    });
  });

  it.each([
    [
      'aborts',
      "process.stderr.write('driver: lost\\n', () => process.kill(process.pid, 'SIGABRT'));",
      /SIGABRT.*driver: lost/,
    ],
    ['exits', 'process.exit(9);', /exit code 9/],
    ['is killed', "process.kill(process.pid, 'SIGKILL');", /SIGKILL/],
  ])('makes a problem of the device of a driver that %s', async (_what, behaves, words) => {
    const checked = await checkDevice(workerThat(behaves), 'webgpu');
    expect(checked).toMatchObject({
      ok: false,
      error: { kind: 'device-unavailable', hint: expect.stringContaining('VK_DRIVER_FILES') },
    });
    expect(checked.ok ? '' : checked.error.message).toMatch(
      /^the device webgpu cannot be used: its driver ended/,
    );
    expect(checked.ok ? '' : checked.error.message).toMatch(words);
  });

  it.each([
    ['hangs', 'for (;;);'],
    ['hangs and cannot be asked to end', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6);"],
  ])('makes one of a driver that %s, when its time is over', async (_what, behaves) =>
    expect(await checkDevice(workerThat(behaves), 'cuda', { timeoutMs: 400 })).toEqual({
      ok: false,
      error: {
        kind: 'device-unavailable',
        message: 'the device cuda cannot be used: it gave no answer within 0.4 s, so its driver hangs',
        hint: "update the device's driver",
      },
    }),
  );

  it('is cancelled as any job is', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 300);
    expect(await checkDevice(workerThat('for (;;);'), 'cpu', { signal: abort.signal })).toMatchObject({
      ok: false,
      error: { kind: 'cancelled' },
    });
  });
});

describe('the trial of a device', () => {
  it('takes the time of opening and of the first run, on the clock that it is given', async () => {
    let nowNs = 0n;
    const clock = { ...systemClock, nowNs: () => (nowNs += 500_000_000n) };
    expect(await tryDevice({ kind: 'device-trial', device: 'cpu' }, { clock })).toEqual({
      device: 'cpu',
      openSeconds: 0.5,
      firstRunSeconds: 0.5,
    });
  });
});
