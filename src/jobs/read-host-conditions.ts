import type { HostConditions } from '../benchmark/host-conditions.ts';
import { attempt } from '../core/problem.ts';
import { ownCgroupFolders } from '../telemetry/collectors/cgroup.ts';
import { readQuotaUsage } from '../telemetry/collectors/cgroup-usage.ts';
import { type Host, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { collectCpu } from '../telemetry/collectors/cpu.ts';
import {
  findFrequencyFiles,
  findThrottleFiles,
  readFrequenciesHertz,
  sumCounters,
  textIfReadable,
} from '../telemetry/collectors/cpu-files.ts';
import { collectPaging, type PagingReading } from '../telemetry/collectors/paging.ts';
import { collectPressure } from '../telemetry/collectors/pressure.ts';
import { onlineCpus } from './cpu-affinity.ts';

/**
 * Clocks are read of this many CPUs, spread over the watched ones: enough for a mean, and older kernels can take 10 ms
 * to ask one CPU (arch_freq_get_on_cpu).
 */
const MAX_CLOCKS = 16;

/**
 * Finds out once which files tell the conditions of this host; the function that comes back reads them, synchronously. A
 * reading took 0.1 ms on a host of two CPUs, and 0.4 ms with the files of 64 cores.
 * @param cpus  those whose heat and clock count; all that are online where not given
 */
export function createConditionsReader(
  host: Host = SYSTEM_ROOTS,
  cpus: readonly number[] = onlineOf(host),
): () => HostConditions {
  const throttle = findThrottleFiles(host, cpus);
  // An attempt to read what is not there costs more than a reading, so it is made once.
  const clockFiles = findFrequencyFiles(host, cpus, 'scaling_cur_freq', MAX_CLOCKS);
  const governorFiles = findFrequencyFiles(host, cpus, 'scaling_governor', MAX_CLOCKS);
  const cgroups = attempt(() => ownCgroupFolders(host));
  const quotaFolders = (cgroups.ok ? cgroups.value : []).filter(
    (folder) => textIfReadable(host, `${folder}/cpu.stat`) !== null,
  );
  return () => {
    const cpu = collectCpu(host);
    const pressure = collectPressure(host);
    return {
      onlineCpus: cpu.ok ? cpu.value.cpuCount : null,
      thermalThrottles: sumCounters(host, [...throttle.core, ...throttle.package]),
      ...readVirtualMemory(host),
      memoryStallSeconds: pressure.ok ? pressure.value.memory.fullSeconds : null,
      stealSeconds: cpu.ok ? cpu.value.secondsByMode.steal : null,
      meanFrequencyHz: meanFrequencyHz(host, clockFiles),
      governor: governorOf(host, governorFiles),
      ...readQuotaThrottling(host, quotaFolders),
    };
  };
}

function onlineOf(host: Host): readonly number[] {
  const online = onlineCpus(host);
  return online.ok ? online.value : [];
}

function readVirtualMemory(
  host: Host,
): Pick<HostConditions, 'swappedInPages' | 'swappedOutPages' | 'oomKills'> {
  const paging = collectPaging(host);
  const { swappedInPages, swappedOutPages, oomKills }: PagingReading = paging.ok ? paging.value : {};
  return {
    swappedInPages: swappedInPages ?? null,
    swappedOutPages: swappedOutPages ?? null,
    oomKills: oomKills ?? null,
  };
}

/** Of the cgroup and of those above it, each of which can have a quota of its own. */
function readQuotaThrottling(
  host: Host,
  folders: readonly string[],
): Pick<HostConditions, 'quotaThrottledPeriods' | 'quotaThrottledSeconds'> {
  const quota = attempt(() => readQuotaUsage(host, folders));
  return {
    quotaThrottledPeriods: (quota.ok ? quota.value?.throttledPeriods : undefined) ?? null,
    quotaThrottledSeconds: (quota.ok ? quota.value?.throttledSeconds : undefined) ?? null,
  };
}

function meanFrequencyHz(host: Host, files: readonly string[]): number | null {
  const clocks = readFrequenciesHertz(host, files);
  return clocks.length === 0 ? null : clocks.reduce((total, clock) => total + clock, 0) / clocks.length;
}

function governorOf(host: Host, files: readonly string[]): string | null {
  const governors = files.flatMap((file) => textIfReadable(host, file) ?? []);
  return governors.length === 0 ? null : [...new Set(governors)].sort().join(', ');
}
