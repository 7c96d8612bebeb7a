import { peakRssBytes } from './process-memory.ts';

/** What this process, with all its threads, has used since it started. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  /** The process waited for something, such as a lock or its next query. */
  readonly voluntaryContextSwitches: number;
  /** Something else took its CPU: of a benchmark there should be few. */
  readonly involuntaryContextSwitches: number;
  /** Page faults that had to wait for a disk. */
  readonly majorPageFaults: number;
  readonly peakRssBytes: number;
}

/**
 * getrusage(2), and VmHWM for the memory. Not the sum over `/proc/self/task`: that forgets threads which have ended.
 */
export function processUsage(): ProcessUsage {
  const usage = process.resourceUsage();
  return {
    cpuSeconds: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
    voluntaryContextSwitches: usage.voluntaryContextSwitches,
    involuntaryContextSwitches: usage.involuntaryContextSwitches,
    majorPageFaults: usage.majorPageFault,
    peakRssBytes: peakRssBytes(),
  };
}

/** What was used between two moments; the peak of the memory is that of the whole life up to the second. */
export function usageBetween(before: ProcessUsage, after: ProcessUsage): ProcessUsage {
  return {
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    voluntaryContextSwitches: after.voluntaryContextSwitches - before.voluntaryContextSwitches,
    involuntaryContextSwitches: after.involuntaryContextSwitches - before.involuntaryContextSwitches,
    majorPageFaults: after.majorPageFaults - before.majorPageFaults,
    peakRssBytes: after.peakRssBytes,
  };
}
