import { attempt } from '../../core/problem.ts';
import { type Host, parseCounter, readText } from './collector.ts';

/*
 * Files below `/sys/devices/system/cpu`. Many hosts lack them, as virtual machines do, and a driver can stop answering: what
 * cannot be read is unknown, never a fault.
 */

/** How often heat made the processor slow itself down: a file per core and one per package. */
export interface ThrottleFiles {
  readonly core: readonly string[];
  readonly package: readonly string[];
}

/**
 * `thermal_throttle/{core,package}_throttle_count` (arch/x86 thermal driver). Every thread of a core shows its core's count,
 * and every CPU of a package that of the package: one of each is taken.
 */
export function findThrottleFiles(host: Host, cpus: readonly number[]): ThrottleFiles {
  const cores = new Map<string, string>();
  const packages = new Map<string, string>();
  for (const cpu of cpus) {
    const folder = cpuFolder(host, cpu);
    const siblings = textIfReadable(host, `${folder}/topology/thread_siblings_list`) ?? `only ${cpu}`;
    const packageId = textIfReadable(host, `${folder}/topology/physical_package_id`) ?? `of ${cpu}`;
    keepReadable(host, cores, siblings, `${folder}/thermal_throttle/core_throttle_count`);
    keepReadable(host, packages, packageId, `${folder}/thermal_throttle/package_throttle_count`);
  }
  return { core: [...cores.values()], package: [...packages.values()] };
}

/** `cpufreq/<name>` of at most `most` of the CPUs, spread over them, where it can be read (kernel doc admin-guide/pm/cpufreq.rst). */
export function findFrequencyFiles(
  host: Host,
  cpus: readonly number[],
  name: 'scaling_cur_freq' | 'scaling_governor',
  most: number,
): readonly string[] {
  return spread(cpus, most)
    .map((cpu) => `${cpuFolder(host, cpu)}/cpufreq/${name}`)
    .filter((file) => textIfReadable(host, file) !== null);
}

/** The clocks that are known now. `scaling_cur_freq` is in kHz, and a word where a driver does not know. */
export function readFrequenciesHertz(host: Host, files: readonly string[]): readonly number[] {
  return files.flatMap((file) => {
    const kilohertz = counterIfReadable(host, file);
    return kilohertz === null || kilohertz === 0 ? [] : [kilohertz * 1e3];
  });
}

/** The sum of the counters that can be read; null where none can. */
export function sumCounters(host: Host, files: readonly string[]): number | null {
  const known = files.flatMap((file) => counterIfReadable(host, file) ?? []);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

/** Null where there is nothing to read, or nobody may. */
export function textIfReadable(host: Host, file: string): string | null {
  const text = attempt(() => readText(host, file));
  return text.ok ? text.value.trim() : null;
}

function counterIfReadable(host: Host, file: string): number | null {
  const text = textIfReadable(host, file);
  if (text === null) return null;
  const counter = attempt(() => parseCounter(text, 'a counter', file, 1));
  return counter.ok ? counter.value : null;
}

function keepReadable(host: Host, files: Map<string, string>, key: string, file: string): void {
  if (!files.has(key) && textIfReadable(host, file) !== null) files.set(key, file);
}

function cpuFolder(host: Host, cpu: number): string {
  return `${host.sysPath}/devices/system/cpu/cpu${cpu}`;
}

/** At most `most` of the values, evenly spaced. */
function spread(values: readonly number[], most: number): readonly number[] {
  const step = Math.max(1, values.length / most);
  return values.filter((_value, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}
