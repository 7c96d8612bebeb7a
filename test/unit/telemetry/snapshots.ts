import type { DiskReading } from '../../../src/telemetry/collectors/disks.ts';
import type { ProcessReading } from '../../../src/telemetry/collectors/processes.ts';
import type { Snapshot } from '../../../src/telemetry/snapshot.ts';

const okHealth = { status: 'ok', durationSeconds: 0.0001 } as const;

/** A snapshot at `seconds` on the monotonic clock, with the given readings and no others. */
export function snapshotAt(seconds: number, readings: Partial<Snapshot> = {}): Snapshot {
  return {
    tickNs: ns(seconds),
    wallMs: 1_700_000_000_000 + seconds * 1000,
    source: 'host',
    health: {
      cpu: okHealth,
      memory: okHealth,
      pressure: okHealth,
      disks: okHealth,
      processes: okHealth,
    },
    sampler: { pid: 1, intervalMs: 100, cpuSeconds: 0, missedTicks: 0 },
    ...readings,
  };
}

export function ns(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e9));
}

export function cpuOf(busySeconds: number, idleSeconds: number, stealSeconds = 0, iowaitSeconds = 0) {
  return {
    cpuCount: 2,
    secondsByMode: {
      user: busySeconds,
      nice: 0,
      system: 0,
      idle: idleSeconds,
      iowait: iowaitSeconds,
      irq: 0,
      softirq: 0,
      steal: stealSeconds,
    },
  };
}

export function memoryOf(availableBytes: number) {
  return {
    totalBytes: 1e10,
    availableBytes,
    freeBytes: 0,
    cachedBytes: 0,
    swapTotalBytes: 0,
    swapFreeBytes: 0,
  };
}

export function diskOf(readBytes: number, more: Partial<DiskReading> = {}): DiskReading {
  return {
    device: 'nvme0n1',
    reads: 0,
    readBytes,
    writes: 0,
    writtenBytes: 0,
    readSeconds: 0,
    writeSeconds: 0,
    inFlight: 0,
    ioTimeSeconds: 0,
    weightedIoTimeSeconds: 0,
    ...more,
  };
}

export function processOf(rssBytes: number, more: Partial<ProcessReading> = {}): ProcessReading {
  return {
    pid: 10,
    startSeconds: 1,
    ageSeconds: 1000,
    cpuSeconds: 0,
    childrenCpuSeconds: 0,
    threads: 1,
    majorFaults: 0,
    rssBytes,
    peakRssBytes: rssBytes,
    ...more,
  };
}
