import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { collectDisks } from '../../../../src/telemetry/collectors/disks.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

function disksOf(host = fixtureHost) {
  const outcome = collectDisks(host);
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.value;
}

describe('collectDisks', () => {
  it('takes whole devices only: no partitions, nothing stacked or held in memory', () => {
    expect(disksOf().map((disk) => disk.device)).toEqual(['cciss/c0d0', 'nvme0n1', 'nvme1n1', 'sda']);
  });

  it('reads sectors of 512 bytes and milliseconds', () => {
    expect(disksOf().find((disk) => disk.device === 'nvme0n1')).toEqual({
      device: 'nvme0n1',
      reads: 120034,
      readBytes: 9602720 * 512,
      writes: 80021,
      writtenBytes: 20405376 * 512,
      readSeconds: 30.111,
      writeSeconds: 90.21,
      discards: 0,
      discardedBytes: 0,
      inFlight: 3,
      ioTimeSeconds: 45.12,
      weightedIoTimeSeconds: 120.421,
    });
  });

  it('gives an NVMe multipath device the sum of its paths when the kernel counts only there', () => {
    expect(disksOf().find((disk) => disk.device === 'nvme1n1')).toMatchObject({
      reads: 1010,
      readBytes: 8080 * 512,
      writes: 505,
      writtenBytes: 16160 * 512,
      readSeconds: 0.404,
      writeSeconds: 0.252,
      discards: 0,
      inFlight: 1,
    });
  });

  it('keeps the own numbers of an NVMe multipath device that has them, so nothing counts twice', () => {
    const host = hostWith({
      'proc/diskstats': ' 259 3 nvme1n1 7 0 56 1 0 0 0 0 0 1 1\n 0 0 nvme1c0n1 7 0 56 1 0 0 0 0 0 1 1\n',
    });
    expect(disksOf(host)).toMatchObject([{ device: 'nvme1n1', reads: 7, readBytes: 56 * 512 }]);
  });

  it('reads the shorter lines of kernels before 4.18', () => {
    const host = hostWith({ 'proc/diskstats': ' 8 0 sda 1 0 2 3 4 0 6 7 8 9 10\n' });
    expect(disksOf(host)).toMatchObject([{ device: 'sda', inFlight: 8, weightedIoTimeSeconds: 0.01 }]);
    expect(disksOf(host)[0]).not.toHaveProperty('discards');
  });

  it('reads discards in bytes', () => {
    const host = hostWith({ 'proc/diskstats': ' 8 0 sda 1 0 2 3 4 0 6 7 0 9 10 11 0 16 5\n' });
    expect(disksOf(host)).toMatchObject([{ device: 'sda', discards: 11, discardedBytes: 16 * 512 }]);
  });

  it('follows a device that is plugged in, and one that goes', () => {
    const line = (name: string) => ` 8 0 ${name} 1 0 2 3 4 0 6 7 0 9 10\n`;
    const host = hostWith({ 'proc/diskstats': line('sda') });
    expect(disksOf(host).map(({ device }) => device)).toEqual(['sda']);
    mkdirSync(`${host.sysPath}/block/sdb`);
    writeFileSync(`${host.procPath}/diskstats`, line('sda') + line('sdb'));
    expect(disksOf(host).map(({ device }) => device)).toEqual(['sda', 'sdb']);
    rmSync(`${host.sysPath}/block/sda`, { recursive: true });
    expect(disksOf(host).map(({ device }) => device)).toEqual(['sdb']);
  });

  it('counts no array, however it is named, and no network disk that is not in use', () => {
    const names = ['md127', 'md_home', 'nbd0', 'nbd1'];
    const used = (name: string) => (name === 'nbd1' ? 1 : 0);
    const host = hostWith({
      ...Object.fromEntries(names.map((name) => [`sys/block/${name}/removable`, '0\n'])),
      'proc/diskstats': names.map((name) => ` 9 0 ${name} ${used(name)} 0 2 3 0 0 6 7 0 9 10\n`).join(''),
    });
    expect(disksOf(host).map(({ device }) => device)).toEqual(['nbd1']);
  });

  it.each(['\u0000\u0001\u0002', ' 8 0 sda', ' 8 0 sda \n', ` 8 0 sda ${'9'.repeat(400)}\n`])(
    'does not take the broken text %j for a disk',
    (text) => {
      const outcome = collectDisks(hostWith({ 'proc/diskstats': text }));
      if (outcome.ok) expect(outcome.value).toEqual([]);
      else expect(outcome.error.kind).toBe('malformed');
    },
  );

  it('leaves out a device that has just been unplugged', () => {
    expect(disksOf(hostWith({ 'proc/diskstats': '' }))).toEqual([]);
  });

  it.each(['proc/diskstats', 'sys/block'])('is absent on a host without %s', (path) => {
    expect(collectDisks(hostWith({ [path]: null }))).toMatchObject({
      error: { kind: 'absent', place: { file: expect.stringContaining(path) } },
    });
  });

  it('names file, line, device and field of a malformed counter', () => {
    const text = '   7 0 loop0 bad\n   8 0 sda 1 0 2 3 4 0 -6 7 8 9 10\n';
    expect(collectDisks(hostWith({ 'proc/diskstats': text }))).toMatchObject({
      error: {
        kind: 'malformed',
        message: expect.stringMatching(/sda sectors written.*"-6"/),
        place: { file: expect.stringMatching(/proc\/diskstats$/), line: 2 },
      },
    });
  });
});
