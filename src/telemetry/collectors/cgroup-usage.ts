import { attempt, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { ownCgroupFolders } from './cgroup.ts';
import {
  type CollectProblem,
  type Host,
  malformed,
  parseCounter,
  quote,
  readTextIfPresent,
} from './collector.ts';

/** What the cgroup of this process uses and may use: its container or its service. */
export interface CgroupReading {
  /** Absent without a memory controller. */
  readonly memory?: CgroupMemoryUsage;
  readonly cpu?: CgroupCpuUsage;
}

export interface CgroupMemoryUsage {
  readonly currentBytes: number;
  /** Since the cgroup was made; kernels before 5.19 do not tell. */
  readonly peakBytes?: number;
  /** Above this the kernel kills. Absent where there is no limit. */
  readonly limitBytes?: number;
  /** Above this the kernel slows down whoever allocates. Absent where there is no such limit. */
  readonly highBytes?: number;
  readonly swapBytes?: number;
  /** How often `highBytes` was passed, how often the limit was met, and how many processes were killed for it. */
  readonly highEvents?: number;
  readonly limitEvents?: number;
  readonly oomKills?: number;
}

export interface CgroupCpuUsage {
  readonly usageSeconds: number;
  /** How many CPUs' time it may have. Absent where it has no quota, or one that is set further up. */
  readonly quotaCpus?: number;
  /** Of this cgroup and of those above it, each of which can have a quota. Absent where none of them has. */
  readonly quota?: CpuQuotaUsage;
}

/** How often a quota made the processes of a cgroup stand still. Figures of a benchmark under throttling are not to be believed. */
export interface CpuQuotaUsage {
  readonly throttledPeriods: number;
  readonly throttledSeconds: number;
}

/**
 * Memory and CPU of the cgroup v2 that this process is in (kernel doc admin-guide/cgroup-v2.rst). `absent` with cgroup v1,
 * without controllers, and for a cgroup that this process cannot see. The kernel gathers `cpu.stat` from all CPUs when it is
 * read: once a second is often enough.
 */
export function collectCgroup(host: Host): Result<CgroupReading, CollectProblem> {
  return attempt(() => {
    const folders = ownCgroupFolders(host);
    const [own] = folders;
    const memory = own === undefined ? undefined : readMemory(host, own);
    const cpu = own === undefined ? undefined : readCpu(host, own, folders);
    if (memory === undefined && cpu === undefined) {
      throw new ProblemError(
        problem('absent', `This process has no cgroup v2 with controllers below ${host.cgroupPath}.`),
      );
    }
    return { ...(memory === undefined ? {} : { memory }), ...(cpu === undefined ? {} : { cpu }) };
  });
}

function readMemory(host: Host, folder: string): CgroupMemoryUsage | undefined {
  const bytes = (name: string) => readAmount(host, `${folder}/memory.${name}`);
  const currentBytes = bytes('current');
  if (currentBytes === undefined) return undefined;
  const events = readFields(host, `${folder}/memory.events`);
  return dropAbsent({
    currentBytes,
    peakBytes: bytes('peak'),
    limitBytes: bytes('max'),
    highBytes: bytes('high'),
    swapBytes: bytes('swap.current'),
    highEvents: events.get('high'),
    limitEvents: events.get('max'),
    oomKills: events.get('oom_kill'),
  });
}

function readCpu(host: Host, own: string, folders: readonly string[]): CgroupCpuUsage | undefined {
  const usage = readFields(host, `${own}/cpu.stat`).get('usage_usec');
  if (usage === undefined) return undefined;
  return dropAbsent({
    usageSeconds: usage / 1e6,
    quotaCpus: readQuotaCpus(host, `${own}/cpu.max`),
    quota: readQuotaUsage(host, folders),
  });
}

/** What the quotas of a cgroup and of those above it did, summed; undefined where none has one. */
export function readQuotaUsage(host: Host, folders: readonly string[]): CpuQuotaUsage | undefined {
  let throttledPeriods = 0;
  let throttledMicroseconds = 0;
  let hasQuota = false;
  for (const folder of folders) {
    const fields = readFields(host, `${folder}/cpu.stat`);
    const periods = fields.get('nr_throttled');
    if (periods === undefined) continue;
    hasQuota = true;
    throttledPeriods += periods;
    throttledMicroseconds += fields.get('throttled_usec') ?? 0;
  }
  return hasQuota ? { throttledPeriods, throttledSeconds: throttledMicroseconds / 1e6 } : undefined;
}

/** `150000 100000`: microseconds of CPU time in every so many, or `max` instead of the first. */
function readQuotaCpus(host: Host, file: string): number | undefined {
  const text = readTextIfPresent(host, file)?.trim();
  if (text === undefined) return undefined;
  const [quota, period] = text.split(' ');
  if (quota === 'max') return undefined;
  const periodMicroseconds = parseCounter(period, 'the period', file, 1);
  if (periodMicroseconds === 0)
    throw malformed(file, `expected a period above 0 but found ${quote(text)}`, 1);
  return parseCounter(quota, 'the quota', file, 1) / periodMicroseconds;
}

/** A file of one number; undefined where there is none, or it says `max`. */
function readAmount(host: Host, file: string): number | undefined {
  const text = readTextIfPresent(host, file)?.trim();
  return text === undefined || text === 'max' ? undefined : parseCounter(text, 'bytes', file, 1);
}

/** A file of a name and a number a line; empty where there is none. */
function readFields(host: Host, file: string): ReadonlyMap<string, number> {
  const fields = new Map<string, number>();
  const text = readTextIfPresent(host, file);
  if (text === undefined) return fields;
  text
    .trimEnd()
    .split('\n')
    .forEach((line, index) => {
      const [name = '', digits] = line.split(' ');
      fields.set(name, parseCounter(digits, name, file, index + 1));
    });
  return fields;
}

function dropAbsent<T extends object>(fields: { readonly [N in keyof T]: T[N] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
