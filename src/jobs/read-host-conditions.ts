import type { HostConditions } from '../benchmark/host-conditions.ts';
import { attempt } from '../core/problem.ts';
import { ownCgroupFolders } from '../telemetry/collectors/cgroup.ts';
import { type Host, parseCounter, readText, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { collectCpu } from '../telemetry/collectors/cpu.ts';
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
  const heatFiles = thermalFiles(host, cpus);
  // An attempt to read what is not there costs more than a reading, so it is made once.
  const readable = (file: string) => textOf(host, file) !== null;
  const folders = spread(cpus, MAX_CLOCKS).map((cpu) => `${cpuFolder(host, cpu)}/cpufreq`);
  const clockFiles = folders.map((folder) => `${folder}/scaling_cur_freq`).filter(readable);
  const governorFiles = folders.map((folder) => `${folder}/scaling_governor`).filter(readable);
  const cgroups = attempt(() => ownCgroupFolders(host));
  const quotaFiles = (cgroups.ok ? cgroups.value : []).map((folder) => `${folder}/cpu.stat`).filter(readable);
  return () => {
    const cpu = collectCpu(host);
    const pressure = collectPressure(host);
    return {
      onlineCpus: cpu.ok ? cpu.value.cpuCount : null,
      thermalThrottles: sumOf(heatFiles.map((file) => readCounter(host, file))),
      ...readVirtualMemory(host),
      memoryStallSeconds: pressure.ok ? pressure.value.memory.fullSeconds : null,
      stealSeconds: cpu.ok ? cpu.value.secondsByMode.steal : null,
      meanFrequencyHz: meanFrequencyHz(host, clockFiles),
      governor: governorOf(host, governorFiles),
      ...readQuotaThrottling(host, quotaFiles),
    };
  };
}

function onlineOf(host: Host): readonly number[] {
  const online = onlineCpus(host);
  return online.ok ? online.value : [];
}

function cpuFolder(host: Host, cpu: number): string {
  return `${host.sysPath}/devices/system/cpu/cpu${cpu}`;
}

/** Every thread of a core shows its core's count, and every CPU of a package that of the package: one of each is read. */
function thermalFiles(host: Host, cpus: readonly number[]): readonly string[] {
  const files = new Map<string, string>();
  for (const cpu of cpus) {
    const folder = cpuFolder(host, cpu);
    const siblings = textOf(host, `${folder}/topology/thread_siblings_list`) ?? `only ${cpu}`;
    const packageId = textOf(host, `${folder}/topology/physical_package_id`) ?? `of ${cpu}`;
    const core = `${folder}/thermal_throttle/core_throttle_count`;
    const whole = `${folder}/thermal_throttle/package_throttle_count`;
    if (!files.has(`core ${siblings}`) && textOf(host, core) !== null) files.set(`core ${siblings}`, core);
    if (!files.has(`package ${packageId}`) && textOf(host, whole) !== null) {
      files.set(`package ${packageId}`, whole);
    }
  }
  return [...files.values()];
}

/** At most `count` of the values, evenly spaced. */
function spread(values: readonly number[], count: number): readonly number[] {
  const step = Math.max(1, values.length / count);
  return values.filter((_value, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

/** `/proc/vmstat` (kernel doc admin-guide/mm and mm/vmstat.c): a name and a number a line. */
function readVirtualMemory(
  host: Host,
): Pick<HostConditions, 'swappedInPages' | 'swappedOutPages' | 'oomKills'> {
  const text = textOf(host, `${host.procPath}/vmstat`);
  return {
    swappedInPages: fieldOf(text, 'pswpin'),
    swappedOutPages: fieldOf(text, 'pswpout'),
    oomKills: fieldOf(text, 'oom_kill'),
  };
}

/** `cpu.stat` of the cgroup and of those above it, each of which can have a quota of its own (kernel doc cgroup-v2.rst). */
function readQuotaThrottling(
  host: Host,
  files: readonly string[],
): Pick<HostConditions, 'quotaThrottledPeriods' | 'quotaThrottledSeconds'> {
  const texts = files.map((file) => textOf(host, file));
  const throttledMicroseconds = sumOf(texts.map((text) => fieldOf(text, 'throttled_usec')));
  return {
    quotaThrottledPeriods: sumOf(texts.map((text) => fieldOf(text, 'nr_throttled'))),
    quotaThrottledSeconds: throttledMicroseconds === null ? null : throttledMicroseconds / 1e6,
  };
}

/** `scaling_cur_freq` is in kHz, and a word where a driver does not know (kernel doc admin-guide/pm/cpufreq.rst). */
function meanFrequencyHz(host: Host, files: readonly string[]): number | null {
  const frequencies = files.flatMap((file) => readCounter(host, file) ?? []);
  const total = sumOf(frequencies);
  return total === null || total === 0 ? null : (total / frequencies.length) * 1e3;
}

function governorOf(host: Host, files: readonly string[]): string | null {
  const governors = files.flatMap((file) => textOf(host, file) ?? []);
  return governors.length === 0 ? null : [...new Set(governors)].sort().join(', ');
}

/** The sum of what is known; null where nothing is. */
function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

function fieldOf(text: string | null, name: string): number | null {
  const digits = text === null ? undefined : new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

function readCounter(host: Host, file: string): number | null {
  const text = textOf(host, file);
  if (text === null) return null;
  const counter = attempt(() => parseCounter(text, 'a counter', file, 1));
  return counter.ok ? counter.value : null;
}

/** Null where there is nothing to read, or nobody may: neither is a fault of the host. */
function textOf(host: Host, file: string): string | null {
  const text = attempt(() => readText(host, file));
  return text.ok ? text.value.trim() : null;
}
