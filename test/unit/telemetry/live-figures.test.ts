import { describe, expect, it } from 'vitest';
import { LiveFigures } from '../../../src/telemetry/live-figures.ts';
import type { Snapshot } from '../../../src/telemetry/snapshot.ts';
import { cpuOf, diskOf, memoryOf, processOf, snapshotAt } from './snapshots.ts';

function valuesOf(snapshots: readonly Snapshot[]): Record<string, number> {
  const figures = new LiveFigures();
  let last: ReturnType<LiveFigures['add']> = [];
  for (const snapshot of snapshots) last = figures.add(snapshot);
  return Object.fromEntries(last.map(({ label, value }) => [label, value]));
}

describe('LiveFigures', () => {
  it('takes gauges as they are and counters as what they grew a second', () => {
    const at = (t: number) =>
      snapshotAt(t, {
        cpu: cpuOf(t / 2, t / 2),
        memory: { ...memoryOf(4e9), swapTotalBytes: 10, swapFreeBytes: 4 },
        disks: [diskOf(100 * t, { writtenBytes: 10 * t })],
        processes: [processOf(5), processOf(7, { pid: 11 })],
      });
    expect(valuesOf([at(0), at(2)])).toEqual({
      cpu: 0.5,
      memory: 6e9,
      swap: 6,
      workers: 12,
      'nvme0n1 read': 100,
      'nvme0n1 written': 10,
    });
  });

  it('has no rates before a second sample, nor from one that is not newer', () => {
    const at = (t: number) => snapshotAt(t, { cpu: cpuOf(t, t) });
    expect(valuesOf([at(1)])).toEqual({});
    expect(valuesOf([at(1), at(1)])).toEqual({});
  });

  it('shows GPUs, power over a wrap of its counter, and the hottest zone', () => {
    const at = (t: number, joules: number) =>
      snapshotAt(t, {
        gpus: {
          backend: 'nvml',
          gpus: [
            {
              uuid: 'u',
              index: 1,
              name: 'A',
              state: 'ok',
              utilizationRatio: 0.5,
              powerWatts: { average: 99 },
            },
          ],
        },
        rapl: { zones: [{ zone: 'package-0', joules, wrapJoules: 100 }] },
        thermal: {
          zones: [
            { zone: 'a', type: 'x', celsius: 40 },
            { zone: 'b', type: 'y', celsius: 55 },
          ],
        },
      } as Partial<Snapshot>);
    expect(valuesOf([at(0, 90), at(2, 10)])).toEqual({
      gpu1: 0.5,
      'gpu1 power': 99,
      'cpu power': 10,
      hottest: 55,
    });
  });

  it('shows the disks that did the most, and no more of them than a screen has room for', () => {
    const disks = (t: number) =>
      ['a', 'b', 'c', 'd', 'e'].map((device, index) => diskOf(t, { device, reads: index }));
    const labels = Object.keys(
      valuesOf([snapshotAt(0, { disks: disks(0) }), snapshotAt(1, { disks: disks(1) })]),
    );
    expect(labels).toEqual(['e read', 'e written', 'd read', 'd written', 'c read', 'c written']);
  });
});
