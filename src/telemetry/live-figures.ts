import { secondsBetween } from '../core/clock.ts';
import type { CpuReading } from './collectors/cpu.ts';
import type { Snapshot } from './snapshot.ts';

/** A quantity as it is now, in base units. */
export interface Figure {
  /** Where it stands among the others: those of one place in the order in which they first came. */
  readonly place: number;
  /** `cpu`, `disk nvme0n1 read`: what people call it; the same from sample to sample. */
  readonly label: string;
  readonly unit: 'ratio' | 'bytes' | 'bytesPerSecond' | 'watts' | 'celsius';
  readonly value: number;
  /** What it can be at most, where that is known. */
  readonly most?: number;
}

const PLACE = { cpu: 0, memory: 1, swap: 2, workers: 3, gpus: 4, disks: 5, power: 6, heat: 7 } as const;

/** Disks that are shown, those that do the most. */
const MOST_DISKS = 3;

/**
 * Makes figures of snapshots as they come: gauges as they are, counters as their growth since the snapshot of the same source before.
 */
export class LiveFigures {
  readonly #before = new Map<string, Snapshot>();

  add(snapshot: Snapshot): readonly Figure[] {
    return [
      ...this.#of('cpu', snapshot, cpuFigures),
      ...memoryFigures(snapshot),
      ...processFigures(snapshot),
      ...this.#of('disks', snapshot, diskFigures),
      ...gpuFigures(snapshot),
      ...this.#of('rapl', snapshot, raplFigures),
      ...thermalFigures(snapshot),
    ];
  }

  #of(
    reading: 'cpu' | 'disks' | 'rapl',
    snapshot: Snapshot,
    read: (before: Snapshot, now: Snapshot, seconds: number) => readonly Figure[],
  ): readonly Figure[] {
    if (snapshot[reading] === undefined) return [];
    const before = this.#before.get(reading);
    this.#before.set(reading, snapshot);
    const seconds = before === undefined ? 0 : secondsBetween(before.tickNs, snapshot.tickNs);
    return before === undefined || seconds <= 0 ? [] : read(before, snapshot, seconds);
  }
}

function cpuFigures(before: Snapshot, now: Snapshot): readonly Figure[] {
  const [from, to] = [before.cpu, now.cpu];
  if (from === undefined || to === undefined) return [];
  const grown = (modes: readonly (keyof CpuReading['secondsByMode'])[]) =>
    modes.reduce((sum, mode) => sum + Math.max(0, to.secondsByMode[mode] - from.secondsByMode[mode]), 0);
  const busy = grown(['user', 'nice', 'system', 'irq', 'softirq', 'steal']);
  const all = busy + grown(['idle', 'iowait']);
  return all > 0 ? [{ place: PLACE.cpu, label: 'cpu', unit: 'ratio', value: busy / all, most: 1 }] : [];
}

function memoryFigures({ memory }: Snapshot): readonly Figure[] {
  if (memory === undefined) return [];
  const { totalBytes, availableBytes, swapTotalBytes, swapFreeBytes } = memory;
  const swapped = swapTotalBytes - swapFreeBytes;
  return [
    {
      place: PLACE.memory,
      label: 'memory',
      unit: 'bytes',
      value: totalBytes - availableBytes,
      most: totalBytes,
    },
    ...(swapped > 0
      ? [{ place: PLACE.swap, label: 'swap', unit: 'bytes', value: swapped, most: swapTotalBytes } as const]
      : []),
  ];
}

function processFigures({ processes }: Snapshot): readonly Figure[] {
  if (processes === undefined || processes.length === 0) return [];
  return [
    {
      place: PLACE.workers,
      label: 'workers',
      unit: 'bytes',
      value: processes.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
    },
  ];
}

function diskFigures(before: Snapshot, now: Snapshot, seconds: number): readonly Figure[] {
  const disks = (now.disks ?? []).flatMap((to) => {
    const from = before.disks?.find(({ device }) => device === to.device);
    if (from === undefined) return [];
    const read = Math.max(0, to.readBytes - from.readBytes) / seconds;
    const written = Math.max(0, to.writtenBytes - from.writtenBytes) / seconds;
    return [{ device: to.device, read, written, ever: to.reads + to.writes }];
  });
  // By what they ever did, so that the choice stays the same from line to line.
  const busiest = disks.sort((a, b) => b.ever - a.ever).slice(0, MOST_DISKS);
  return busiest.flatMap(({ device, read, written }) => [
    { place: PLACE.disks, label: `${device} read`, unit: 'bytesPerSecond', value: read },
    { place: PLACE.disks, label: `${device} written`, unit: 'bytesPerSecond', value: written },
  ]);
}

function gpuFigures({ gpus }: Snapshot): readonly Figure[] {
  return (gpus?.gpus ?? []).flatMap(({ index, utilizationRatio, memory, powerWatts, powerLimitWatts }) => {
    const watts = powerWatts?.instant ?? powerWatts?.average;
    return [
      ...(utilizationRatio === undefined
        ? []
        : [
            {
              place: PLACE.gpus,
              label: `gpu${index}`,
              unit: 'ratio',
              value: utilizationRatio,
              most: 1,
            } as const,
          ]),
      ...(memory === undefined
        ? []
        : [
            {
              place: PLACE.gpus,
              label: `gpu${index} memory`,
              unit: 'bytes',
              value: memory.usedBytes,
              most: memory.totalBytes,
            } as const,
          ]),
      ...(watts === undefined
        ? []
        : [
            {
              place: PLACE.gpus,
              label: `gpu${index} power`,
              unit: 'watts',
              value: watts,
              ...(powerLimitWatts === undefined ? {} : { most: powerLimitWatts }),
            } as const,
          ]),
    ];
  });
}

function raplFigures(before: Snapshot, now: Snapshot, seconds: number): readonly Figure[] {
  const zones = (now.rapl?.zones ?? []).flatMap((to) => {
    const from = before.rapl?.zones.find(({ zone }) => zone === to.zone);
    if (from === undefined) return [];
    const grown =
      to.joules >= from.joules ? to.joules - from.joules : to.joules - from.joules + to.wrapJoules;
    return [Math.max(0, grown)];
  });
  if (zones.length === 0) return [];
  return [
    {
      place: PLACE.power,
      label: 'cpu power',
      unit: 'watts',
      value: zones.reduce((a, b) => a + b, 0) / seconds,
    },
  ];
}

function thermalFigures({ thermal }: Snapshot): readonly Figure[] {
  if (thermal === undefined || thermal.zones.length === 0) return [];
  const celsius = thermal.zones.reduce(
    (hottest, zone) => Math.max(hottest, zone.celsius),
    Number.NEGATIVE_INFINITY,
  );
  return [{ place: PLACE.heat, label: 'hottest', unit: 'celsius', value: celsius, most: 100 }];
}
