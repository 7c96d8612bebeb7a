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
  });

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
