import { absoluteCounterFamily, gaugeFamily, type MetricRegistry } from './families.ts';

/** The daemon's own process. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  /** Undefined where it cannot be read, as when no file can be opened. */
  readonly residentMemoryBytes: number | undefined;
  /** Since the Unix epoch. */
  readonly startTimeSeconds: number;
}

/**
 * Registers the metrics that every Prometheus client has under these names, and returns what updates them.
 * prom-client's own set is larger, and partly wrong: its event loop lag measures the scrape itself.
 */
export function createProcessMetrics(registry: MetricRegistry): (usage: ProcessUsage) => void {
  const cpu = absoluteCounterFamily({
    registry,
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time of the daemon, workers not included.',
    labelNames: [],
  });
  const memory = gaugeFamily({
    registry,
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the daemon, workers not included.',
    labelNames: [],
  });
  const start = gaugeFamily({
    registry,
    name: 'process_start_time_seconds',
    help: 'When the daemon started, since the Unix epoch.',
    labelNames: [],
  });
  return (usage) => {
    cpu.set({}, usage.cpuSeconds);
    memory.set({}, usage.residentMemoryBytes);
    start.set({}, usage.startTimeSeconds);
  };
}

/** Returns a reader of this process. The start is read once, or the clock's corrections would move it. */
export function processUsageReader(): () => ProcessUsage {
  const startTimeSeconds = Date.now() / 1e3 - process.uptime();
  return () => {
    const { user, system } = process.cpuUsage();
    return {
      cpuSeconds: (user + system) / 1e6,
      residentMemoryBytes: readResidentMemory(),
      startTimeSeconds,
    };
  };
}

/** It is read from a file; a daemon that can open none answers scrapes all the same, which then tell so. */
function readResidentMemory(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}
