import { attempt } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type CollectProblem, type Host, lineAt, listFolder, parseCounter, readText } from './collector.ts';

/** Counters of one block device, cumulative since it appeared. */
export interface DiskReading {
  readonly device: string;
  readonly reads: number;
  readonly readBytes: number;
  readonly writes: number;
  readonly writtenBytes: number;
  /** Time that reads took, summed over them; over `reads` it is their mean latency. Time in the queue counts. */
  readonly readSeconds: number;
  readonly writeSeconds: number;
  /** Blocks given back to the device (TRIM). Absent where the kernel does not count them, before 4.18. */
  readonly discards?: number;
  readonly discardedBytes?: number;
  /** Requests that are with the device now. */
  readonly inFlight: number;
  /** Time during which at least one request was in flight. Says little about saturation of an NVMe device. */
  readonly ioTimeSeconds: number;
  /** Time summed over the requests in flight; its rate is the mean queue depth. */
  readonly weightedIoTimeSeconds: number;
}

/** `/proc/diskstats` counts in these units whatever the device's sector is (kernel doc admin-guide/iostats.rst). */
const SECTOR_BYTES = 512;

// Memory-backed devices cost no disk; stacked ones (device mapper, RAID, bcache, drbd, ZFS volumes, loop) would count
// the bytes of the devices below them a second time; floppy and optical drives only make noise.
const NOT_A_DISK = /^(?:(?:ram|zram|loop|dm-|md|bcache|drbd|zd|fd|sr)\d|md_)/;

/** The kernel makes sixteen of these at once, of which most are never used. */
const NETWORK_DISK = /^nbd\d/;

/** A path of an NVMe multipath device: `nvme1c0n1` is controller 0's way to `nvme1n1`. */
const NVME_PATH = /^(nvme\d+)c\d+(n\d+)$/;

/**
 * Whole block devices of the host, ordered by name, from `/proc/diskstats`. What a whole device is `/sys/block` says,
 * so partitions are left out without guessing from names. A device whose line is missing has just been unplugged.
 */
export function collectDisks(host: Host): Result<readonly DiskReading[], CollectProblem> {
  const folder = `${host.sysPath}/block`;
  const file = `${host.procPath}/diskstats`;
  return attempt(() => {
    // The kernel writes a slash in a device's name (cciss/c0d0) as an exclamation mark in sysfs.
    const whole = listFolder(folder, host.files).map((name) => name.replaceAll('!', '/'));
    const text = readText(host, file);
    const disks = whole
      .filter((name) => !NOT_A_DISK.test(name))
      .flatMap((name) => parseDisk(text, name, file) ?? [])
      .filter((disk) => !NETWORK_DISK.test(disk.device) || disk.reads + disk.writes > 0);
    return foldNvmePaths(disks).sort(byDevice);
  });
}

/** The line of one device: major, minor, name, then the fields of iostats.rst, counted from 1 there and here. */
function parseDisk(text: string, device: string, file: string): DiskReading | undefined {
  const start = text.indexOf(` ${device} `);
  if (start < 0) return undefined;
  const end = text.indexOf('\n', start);
  const fields = text.slice(start + 1, end < 0 ? text.length : end).split(' ');
  const lineNumber = () => lineAt(text, start);
  const field = (number: number, name: string) =>
    parseCounter(fields[number], `${device} ${name}`, file, lineNumber);
  return {
    device,
    reads: field(1, 'reads'),
    readBytes: field(3, 'sectors read') * SECTOR_BYTES,
    writes: field(5, 'writes'),
    writtenBytes: field(7, 'sectors written') * SECTOR_BYTES,
    readSeconds: field(4, 'read time') / 1000,
    writeSeconds: field(8, 'write time') / 1000,
    ...(fields.length > 14
      ? { discards: field(12, 'discards'), discardedBytes: field(14, 'sectors discarded') * SECTOR_BYTES }
      : {}),
    inFlight: field(9, 'requests in flight'),
    ioTimeSeconds: field(10, 'I/O time') / 1000,
    weightedIoTimeSeconds: field(11, 'weighted I/O time') / 1000,
  };
}

/**
 * With NVMe multipath, older kernels count at the paths and leave the device itself at zero; newer ones count at both.
 * The device takes the sum of its paths in the first case and its own numbers in the second, so nothing counts twice.
 */
function foldNvmePaths(disks: readonly DiskReading[]): DiskReading[] {
  if (!disks.some((disk) => NVME_PATH.test(disk.device))) return [...disks];
  const pathsByHead = new Map<string, DiskReading[]>();
  for (const disk of disks) {
    const match = NVME_PATH.exec(disk.device);
    if (match === null) continue;
    const head = `${match[1]}${match[2]}`;
    pathsByHead.set(head, [...(pathsByHead.get(head) ?? []), disk]);
  }
  return disks
    .filter((disk) => !NVME_PATH.test(disk.device))
    .map((disk) =>
      disk.reads === 0 && disk.writes === 0
        ? (pathsByHead.get(disk.device) ?? []).reduce(addDisk, disk)
        : disk,
    );
}

function addDisk(sum: DiskReading, path: DiskReading): DiskReading {
  return {
    device: sum.device,
    reads: sum.reads + path.reads,
    readBytes: sum.readBytes + path.readBytes,
    writes: sum.writes + path.writes,
    writtenBytes: sum.writtenBytes + path.writtenBytes,
    readSeconds: sum.readSeconds + path.readSeconds,
    writeSeconds: sum.writeSeconds + path.writeSeconds,
    ...(sum.discards === undefined || path.discards === undefined
      ? {}
      : {
          discards: sum.discards + path.discards,
          discardedBytes: (sum.discardedBytes ?? 0) + (path.discardedBytes ?? 0),
        }),
    inFlight: sum.inFlight + path.inFlight,
    ioTimeSeconds: sum.ioTimeSeconds + path.ioTimeSeconds,
    weightedIoTimeSeconds: sum.weightedIoTimeSeconds + path.weightedIoTimeSeconds,
  };
}

function byDevice(a: DiskReading, b: DiskReading): number {
  return a.device < b.device ? -1 : 1;
}
