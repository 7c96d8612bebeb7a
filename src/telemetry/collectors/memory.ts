import { attempt } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { ownCgroupFolders, rememberCgroupFolders } from './cgroup.ts';
import {
  type CollectProblem,
  type Host,
  lineAt,
  malformed,
  parseCounter,
  quote,
  readSettledIfPresent,
  readText,
  readTextIfPresent,
} from './collector.ts';

export interface MemoryReading {
  readonly totalBytes: number;
  /** What can be allocated without swapping, as the kernel estimates it. */
  readonly availableBytes: number;
  readonly freeBytes: number;
  /** Page cache, buffers and reclaimable slab: `free` prints it as buff/cache. */
  readonly cachedBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
  /** Set when a cgroup v2 memory controller accounts for this process. */
  readonly cgroup?: CgroupMemory;
}

/** Of the cgroups this process is in, the one that would run out first. */
interface CgroupMemory {
  readonly currentBytes: number;
  /** Absent when no cgroup on the way up to the root has a limit. */
  readonly limitBytes?: number;
}

/** A `collectMemory` that does not work out anew at each reading which cgroups this process is in. */
export function createMemory(): (host: Host) => Result<MemoryReading, CollectProblem> {
  const cgroupFolders = rememberCgroupFolders();
  return (host) => collectMemory(host, cgroupFolders);
}

/** Memory of the host from `/proc/meminfo` (proc(5)), and of this process' cgroup v2 (kernel doc cgroup-v2.rst). */
export function collectMemory(
  host: Host,
  cgroupFolders = ownCgroupFolders,
): Result<MemoryReading, CollectProblem> {
  const file = `${host.procPath}/meminfo`;
  return attempt(() => {
    // With a line break before the first line too, every field is found alike.
    const lines = `\n${readText(host, file)}`;
    const bytesOf = (field: string) => parseMeminfoField(lines, field, file);
    const cgroup = readCgroup(host, cgroupFolders(host));
    return {
      totalBytes: bytesOf('MemTotal'),
      availableBytes: bytesOf('MemAvailable'),
      freeBytes: bytesOf('MemFree'),
      cachedBytes: bytesOf('Cached') + bytesOf('Buffers') + bytesOf('SReclaimable'),
      swapTotalBytes: bytesOf('SwapTotal'),
      swapFreeBytes: bytesOf('SwapFree'),
      ...(cgroup === undefined ? {} : { cgroup }),
    };
  });
}

/** `MemTotal:       24684096 kB`, in bytes. Found by name, as most of the fifty lines are of no interest here. */
function parseMeminfoField(lines: string, field: string, file: string): number {
  const start = lines.indexOf(`\n${field}:`);
  if (start < 0) throw malformed(file, `expected a field ${field} but found none`);
  const end = lines.indexOf('\n', start + 1);
  const amount = lines.slice(start + field.length + 2, end < 0 ? lines.length : end).trim();
  const lineNumber = () => lineAt(lines, start);
  if (!amount.endsWith(' kB')) {
    throw malformed(file, `expected ${field} in kB but found ${quote(amount)}`, lineNumber());
  }
  return parseCounter(amount.slice(0, -3), field, file, lineNumber) * 1024;
}

function readCgroup(host: Host, folders: readonly string[]): CgroupMemory | undefined {
  let tightest: CgroupMemory | undefined;
  for (const folder of folders) {
    const level = readCgroupLevel(host, folder);
    if (level !== undefined && (tightest === undefined || headroom(level) < headroom(tightest))) {
      tightest = level;
    }
  }
  return tightest;
}

function readCgroupLevel(host: Host, folder: string): CgroupMemory | undefined {
  const currentFile = `${folder}/memory.current`;
  const current = readTextIfPresent(host, currentFile);
  if (current === undefined) return undefined;
  const currentBytes = parseCounter(current.trim(), 'memory.current', currentFile, 1);
  const limitFile = `${folder}/memory.max`;
  const limit = readSettledIfPresent(host, limitFile)?.trim() ?? 'max';
  if (limit === 'max') return { currentBytes };
  return { currentBytes, limitBytes: parseCounter(limit, 'memory.max', limitFile, 1) };
}

function headroom(level: CgroupMemory): number {
  return (level.limitBytes ?? Number.POSITIVE_INFINITY) - level.currentBytes;
}
