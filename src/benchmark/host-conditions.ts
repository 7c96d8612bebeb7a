import { formatSeconds } from '../core/units.ts';

/**
 * What the host says about itself at one moment, as far as it bears on a benchmark. Counters only ever grow, since boot
 * unless said otherwise; null where the kernel does not tell.
 */
export interface HostConditions {
  readonly onlineCpus: number | null;
  /** Times that a core or a package slowed itself down because of heat, over all of them. */
  readonly thermalThrottles: number | null;
  readonly swappedInPages: number | null;
  readonly swappedOutPages: number | null;
  /** Time in which every task that could have run waited for memory (PSI "full"). */
  readonly memoryStallSeconds: number | null;
  /** CPU time that the hypervisor gave to others while a CPU of this host wanted to run, summed over the CPUs. */
  readonly stealSeconds: number | null;
  /** Clock of the watched CPUs now, on average. Null in most virtual machines. */
  readonly meanFrequencyHz: number | null;
  /** Frequency governor of the watched CPUs; several with commas between them where they differ. */
  readonly governor: string | null;
  /** Periods in which this process's cgroup, or one above it, used up its CPU quota and was stopped. */
  readonly quotaThrottledPeriods: number | null;
  readonly quotaThrottledSeconds: number | null;
  /** Processes that the kernel ended for lack of memory. */
  readonly oomKills: number | null;
}

/** How much of each disturbance a measurement may have. */
export interface ContaminationLimits {
  /** Pages in and out together. */
  readonly maxSwappedPages: number;
  /** Share of the time. */
  readonly maxMemoryStallRatio: number;
  /** CPU cores that the hypervisor took, on average. */
  readonly maxStolenCpuCores: number;
  /** Relative change of the mean clock, in either direction. */
  readonly maxFrequencyChangeRatio: number;
}

/**
 * - 256 pages (1 MiB in pages of 4 KiB): what a sleeping daemon needs when it wakes up; a model that is swapped moves more.
 * - 0.1 % of the time without any progress is what the latency that one query in a thousand exceeds would consist of.
 * - 0.05 of a core is 5 % of what a model on one thread runs on: as much as the differences that are looked for.
 * - 10 % of the clock is 10 % of the speed of whatever computes; less is the jitter of a clock that is read once.
 *
 * Thermal throttling, a used-up CPU quota and a process killed for memory have no limit: each is wrong at its first time.
 */
export const DEFAULT_CONTAMINATION_LIMITS: ContaminationLimits = {
  maxSwappedPages: 256,
  maxMemoryStallRatio: 0.001,
  maxStolenCpuCores: 0.05,
  maxFrequencyChangeRatio: 0.1,
};

/**
 * Why the host did not treat a measurement fairly between two moments, as sentences; empty where nothing is known against it.
 * Both moments belong right behind work (the warm-up, the last round): the clock of an idle CPU says nothing.
 * @param durationNs  time from one moment to the other
 */
export function contaminationReasons(
  before: HostConditions,
  after: HostConditions,
  durationNs: number,
  limits: ContaminationLimits = DEFAULT_CONTAMINATION_LIMITS,
): string[] {
  const grown = (name: Counter) => growth(before[name], after[name]);
  const seconds = durationNs / 1e9;
  return [
    ...cpusChanged(before.onlineCpus, after.onlineCpus),
    ...throttledByHeat(grown('thermalThrottles')),
    ...swapped(grown('swappedInPages'), grown('swappedOutPages'), limits),
    ...waitedForMemory(grown('memoryStallSeconds'), seconds, limits),
    ...stolen(grown('stealSeconds'), seconds, limits),
    ...clockChanged(before.meanFrequencyHz, after.meanFrequencyHz, limits),
    ...governorChanged(before.governor, after.governor),
    ...throttledByQuota(grown('quotaThrottledPeriods'), grown('quotaThrottledSeconds')),
    ...killedForMemory(grown('oomKills')),
  ];
}

/** What cannot be told about this host, as phrases: the reverse side of a measurement without contamination. */
export function unobservedConditions(conditions: HostConditions): string[] {
  return UNOBSERVED.filter(([names]) => names.some((name) => conditions[name] === null)).map(
    ([, phrase]) => phrase,
  );
}

const UNOBSERVED: readonly (readonly [readonly (keyof HostConditions)[], string])[] = [
  [['thermalThrottles'], 'thermal throttling (no counters, as in a virtual machine)'],
  [['meanFrequencyHz'], 'the CPU clock (no cpufreq, as in a virtual machine)'],
  [['governor'], 'the frequency governor (no cpufreq, as in a virtual machine)'],
  [['swappedInPages', 'swappedOutPages'], 'swapping'],
  [['memoryStallSeconds'], 'memory pressure (the kernel has no PSI)'],
  [['stealSeconds', 'onlineCpus'], 'CPU time taken by the hypervisor'],
  [['quotaThrottledPeriods'], 'throttling by a CPU quota (no cgroup v2 CPU controller)'],
  [['oomKills'], 'processes killed for lack of memory'],
];

type Counter = {
  [N in keyof HostConditions]: HostConditions[N] extends number | null ? N : never;
}[keyof HostConditions];

/** Null where either is; never negative, as a counter that fell belongs to something that was exchanged meanwhile. */
function growth(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : Math.max(0, after - before);
}

function cpusChanged(before: number | null, after: number | null): string[] {
  if (before === null || after === null || before === after) return [];
  return [`The host had ${before} CPUs online at the beginning and ${after} at the end`];
}

function throttledByHeat(times: number | null): string[] {
  if (times === null || times === 0) return [];
  return [`The CPU slowed itself down because of heat (${count(times, 'event')} of thermal throttling)`];
}

function swapped(inward: number | null, outward: number | null, limits: ContaminationLimits): string[] {
  const pages = (inward ?? 0) + (outward ?? 0);
  if (pages <= limits.maxSwappedPages) return [];
  return [
    `The host swapped: ${inward ?? 'an unknown number of'} pages in and ${outward ?? 'an unknown number of'} ` +
      `out, more than the ${limits.maxSwappedPages} allowed`,
  ];
}

function waitedForMemory(
  stallSeconds: number | null,
  seconds: number,
  { maxMemoryStallRatio }: ContaminationLimits,
): string[] {
  if (stallSeconds === null || stallSeconds <= maxMemoryStallRatio * seconds) return [];
  return [
    `For ${formatSeconds(stallSeconds)} of ${formatSeconds(seconds)} everything on the host waited for memory, ` +
      `more than the ${percent(maxMemoryStallRatio)} allowed`,
  ];
}

function stolen(
  stealSeconds: number | null,
  seconds: number,
  { maxStolenCpuCores }: ContaminationLimits,
): string[] {
  if (stealSeconds === null || stealSeconds <= maxStolenCpuCores * seconds) return [];
  return [
    `The hypervisor took ${(stealSeconds / seconds).toFixed(2)} CPU cores on average for other guests, more than ` +
      `the ${maxStolenCpuCores} allowed`,
  ];
}

function clockChanged(
  before: number | null,
  after: number | null,
  { maxFrequencyChangeRatio }: ContaminationLimits,
): string[] {
  if (before === null || after === null || before <= 0) return [];
  const change = after / before - 1;
  if (Math.abs(change) <= maxFrequencyChangeRatio) return [];
  return [
    `The mean CPU clock went from ${gigahertz(before)} to ${gigahertz(after)} (${change > 0 ? '+' : '−'}` +
      `${percent(Math.abs(change))}), more than the ${percent(maxFrequencyChangeRatio)} allowed`,
  ];
}

function governorChanged(before: string | null, after: string | null): string[] {
  if (before === null || after === null || before === after) return [];
  return [`The frequency governor was ${before} at the beginning and ${after} at the end`];
}

function throttledByQuota(periods: number | null, seconds: number | null): string[] {
  if (periods === null || periods === 0) return [];
  const how = seconds === null ? '' : `, for ${formatSeconds(seconds)} of CPU time`;
  return [`The cgroup's CPU quota was used up in ${count(periods, 'period')}${how}`];
}

function killedForMemory(processes: number | null): string[] {
  if (processes === null || processes === 0) return [];
  return [`The kernel killed ${count(processes, 'process', 'processes')} for lack of memory`];
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function gigahertz(frequencyHz: number): string {
  return `${(frequencyHz / 1e9).toFixed(2)} GHz`;
}

/** 0.001 → `0.1 %`; at most one digit behind the point. */
function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(1))} %`;
}
