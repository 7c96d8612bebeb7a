import { attempt, ProblemError, problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import {
  type Collector,
  type CollectProblem,
  type Host,
  listFolder,
  readTextIfPresent,
} from './collector.ts';
import { findFrequencyFiles, findThrottleFiles, readFrequenciesHertz, sumCounters } from './cpu-files.ts';

export interface CpuClocksReading {
  /** Over the CPUs that were asked; see `MAX_CPUS`. Absent where nothing tells clocks. */
  readonly frequencyHertz?: { readonly min: number; readonly mean: number; readonly max: number };
  /** How often heat made the cores and the packages slow themselves down since boot, summed; absent in a virtual machine. */
  readonly throttleEvents?: { readonly core?: number; readonly package?: number };
}

/**
 * Clocks are asked of this many CPUs, spread over all. A kernel before 5.18 interrupts a CPU in order to learn its clock and
 * waits up to 10 ms for it; later ones know it from the last tick.
 */
const MAX_CPUS = 64;

/** How many CPUs `/proc/cpuinfo` may have to be read for clocks: it has 1.5 kB for each, and is one file for all. */
const MAX_CPUINFO_CPUS = 64;

type ReadClocks = () => readonly number[];

/**
 * Makes the collector of clocks (`cpufreq/scaling_cur_freq`, `cpu MHz` of `/proc/cpuinfo` where there is no cpufreq) and of
 * thermal throttling. Which files tell them it finds out at its first reading. `absent` where nothing does.
 */
export function createCpuClocks(): Collector<CpuClocksReading> {
  let read: (() => CpuClocksReading) | undefined;
  return (host): Result<CpuClocksReading, CollectProblem> =>
    attempt(() => {
      read ??= openClocks(host);
      const reading = read();
      if (reading.frequencyHertz === undefined && reading.throttleEvents === undefined) {
        throw new ProblemError(
          problem('absent', 'This host tells neither the clocks of its CPUs nor how often heat slowed them.'),
        );
      }
      return reading;
    });
}

function openClocks(host: Host): () => CpuClocksReading {
  const cpus = listCpus(host);
  const readClocks = clocksReader(host, cpus);
  const throttle = findThrottleFiles(host, cpus);
  return () => {
    const clocks = readClocks();
    const core = sumCounters(host, throttle.core);
    const whole = sumCounters(host, throttle.package);
    return {
      ...(clocks.length === 0 ? {} : { frequencyHertz: spanOf(clocks) }),
      ...(core === null && whole === null
        ? {}
        : {
            throttleEvents: {
              ...(core === null ? {} : { core }),
              ...(whole === null ? {} : { package: whole }),
            },
          }),
    };
  };
}

/** The CPUs that have a folder, offline ones too: they answer nothing, and may come back. */
function listCpus(host: Host): readonly number[] {
  const names = attempt(() => listFolder(`${host.sysPath}/devices/system/cpu`));
  return (names.ok ? names.value : [])
    .flatMap((name) => /^cpu(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function clocksReader(host: Host, cpus: readonly number[]): ReadClocks {
  const files = findFrequencyFiles(host, cpus, 'scaling_cur_freq', MAX_CPUS);
  if (files.length > 0) return () => readFrequenciesHertz(host, files);
  return cpus.length > MAX_CPUINFO_CPUS ? () => [] : () => readCpuinfoClocks(host);
}

/** `cpu MHz : 2900.000`, one of each CPU; arm has no such line. */
function readCpuinfoClocks(host: Host): readonly number[] {
  const text = readTextIfPresent(host, `${host.procPath}/cpuinfo`) ?? '';
  return [...text.matchAll(/^cpu MHz\s*: (\d+(?:\.\d+)?)$/gm)]
    .map((match) => Number(match[1]) * 1e6)
    .filter((hertz) => hertz > 0);
}

function spanOf(clocks: readonly number[]): NonNullable<CpuClocksReading['frequencyHertz']> {
  return {
    min: clocks.reduce((a, b) => Math.min(a, b)),
    mean: clocks.reduce((a, b) => a + b) / clocks.length,
    max: clocks.reduce((a, b) => Math.max(a, b)),
  };
}
