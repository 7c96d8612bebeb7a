import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type HostPeaks, hostPeaks, keptPeaks, type PeaksRequest } from '../../../src/jobs/host-peaks.ts';
import { fakeWorker } from '../../support/fake-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { unwrap } from '../../support/unwrap.ts';

/** Peaks from a data folder or a worker that measures nothing; `measured` counts how often it was asked. */
function host() {
  const worker = fakeWorker();
  const folder = temporaryFolder();
  let wallMs = 0;
  const clock = { wallMs: () => (wallMs += 1000) };
  const peaks = async (request: Partial<PeaksRequest> = {}): Promise<HostPeaks> =>
    unwrap(await hostPeaks({ device: 'cpu', threads: 1, folder, ...request }, { host: worker, clock }));
  return {
    peaks,
    folder,
    measured: () => worker.requests().filter((line) => line.startsWith('peaks')).length,
  };
}

const filesIn = (folder: string) => readdirSync(folder);

describe('hostPeaks', () => {
  it('measures once and then reads what was kept', async () => {
    const { peaks, measured } = host();
    const first = await peaks();
    expect(first).toMatchObject({ device: 'cpu', threads: 1, measuredAtMs: 1000, doubts: [] });
    expect(await peaks()).toEqual(first);
    expect(measured()).toBe(1);
  });

  it('measures anew when asked to, and keeps that', async () => {
    const { peaks, measured } = host();
    await peaks();
    expect((await peaks({ anew: true })).measuredAtMs).toBe(2000);
    expect((await peaks()).measuredAtMs).toBe(2000);
    expect(measured()).toBe(2);
  });

  it('keeps peaks of each device and number of threads apart; 0 threads are all that there are', async () => {
    const { peaks, folder, measured } = host();
    await peaks();
    await peaks({ threads: 1000 });
    await peaks({ device: 'webgpu' });
    expect(measured()).toBe(3);
    expect(
      filesIn(folder)
        .map((name) => name.replace(/-[0-9a-f]{16}\.json$/, ''))
        .sort(),
    ).toEqual(['cpu-1', 'cpu-1000', 'webgpu-1']);
    expect((await peaks({ threads: 0 })).threads).toBe(availableParallelism());
  });

  it('gives kept peaks to those who would not measure', async () => {
    const { peaks, folder, measured } = host();
    const worker = fakeWorker();
    const kept = (threads: number) => keptPeaks({ device: 'cpu', threads, folder }, worker);
    expect(await kept(1)).toBeUndefined();
    await peaks();
    expect(await kept(1)).toMatchObject({ device: 'cpu', threads: 1, levels: [{}, { name: 'memory' }] });
    expect(await kept(2)).toBeUndefined();
    expect(measured()).toBe(1);
    expect(worker.requests()).toEqual([]);
  });

  it('does not keep peaks with doubts', async () => {
    const { peaks, measured } = host();
    expect((await peaks({ threads: 7 })).doubts).toHaveLength(1);
    await peaks({ threads: 7 });
    expect(measured()).toBe(2);
  });

  it.each([
    ['no JSON', () => '{"format": "ptq-agent pe'],
    ['of another version', (text: string) => text.replace('"version": 1', '"version": 0')],
    ['without a rate', (text: string) => text.replace('"float32": 100000000000', '"float32": "fast"')],
    [
      'with a rate of zero',
      (text: string) => text.replace('"bytesPerSecond": 10000000000', '"bytesPerSecond": 0'),
    ],
    [
      'without a memory that holds everything',
      (text: string) => text.replace('"capacityBytes": null', '"capacityBytes": 9'),
    ],
  ])('measures again where what was kept is %s', async (_, damage) => {
    const { peaks, folder, measured } = host();
    await peaks();
    const file = join(folder, filesIn(folder)[0] as string);
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, damage(whole));
    expect(readFileSync(file, 'utf8')).not.toBe(whole);
    await peaks();
    expect(measured()).toBe(2);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ measuredAtMs: 2000 });
  });

  it('goes on where nothing can be kept', async () => {
    const { peaks, folder, measured } = host();
    const file = join(folder, 'in the way');
    writeFileSync(file, '');
    await peaks({ folder: file });
    await peaks({ folder: file });
    expect(measured()).toBe(2);
  });

  it('keeps nothing without a folder', async () => {
    const { host: worker, clock } = { host: fakeWorker(), clock: { wallMs: () => 5 } };
    for (let times = 0; times < 2; times++)
      await hostPeaks({ device: 'cpu', threads: 1 }, { host: worker, clock });
    expect(worker.requests()).toHaveLength(2);
  });

  it('passes on that it was cancelled', async () => {
    const signal = AbortSignal.abort();
    const deps = { host: fakeWorker(), clock: { wallMs: () => 0 }, signal };
    expect(await hostPeaks({ device: 'cpu', threads: 1 }, deps)).toMatchObject({
      error: { kind: 'cancelled' },
    });
  });
});
