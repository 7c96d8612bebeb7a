import { collectCgroup } from './cgroup-usage.ts';
import type { CollectorEntry } from './collector.ts';
import { collectCpu } from './cpu.ts';
import { createCpuClocks } from './cpu-clocks.ts';
import { collectDisks } from './disks.ts';
import { createGpuCollector } from './gpu/create-gpu-collector.ts';
import { createMemory } from './memory.ts';
import { createNvmeHealth } from './nvme-health.ts';
import { collectPaging } from './paging.ts';
import { collectPressure } from './pressure.ts';
import { createProcessMemory } from './process-memory.ts';
import { collectProcesses } from './processes.ts';
import { createRapl } from './rapl.ts';
import { restWhileAbsent } from './rest-while-absent.ts';
import { collectThermal } from './thermal.ts';

/** Every collector; a line here is all that a new one needs besides its file, its test and its fixture. */
export const COLLECTORS = {
  cpu: { source: 'host', create: () => collectCpu },
  memory: { source: 'host', create: createMemory },
  pressure: { source: 'host', create: () => collectPressure },
  disks: { source: 'host', create: () => collectDisks },
  processes: { source: 'host', create: () => collectProcesses },
  paging: { source: 'host', minIntervalMs: 1_000, create: () => collectPaging },
  cgroup: { source: 'host', minIntervalMs: 1_000, create: () => restWhileAbsent(collectCgroup) },
  rapl: { source: 'host', minIntervalMs: 100, create: () => restWhileAbsent(createRapl()) },
  cpuClocks: { source: 'slow', minIntervalMs: 1_000, create: () => restWhileAbsent(createCpuClocks()) },
  processMemory: { source: 'slow', minIntervalMs: 5_000, create: createProcessMemory },
  thermal: { source: 'slow', minIntervalMs: 1_000, create: () => restWhileAbsent(collectThermal) },
  nvmeHealth: { source: 'slow', minIntervalMs: 10_000, create: () => restWhileAbsent(createNvmeHealth()) },
  gpus: { source: 'gpu', create: createGpuCollector },
} as const satisfies Record<string, CollectorEntry>;

type Collectors = typeof COLLECTORS;

export type CollectorName = keyof Collectors;

/** Some of the collectors, each as it is to be run. */
export type CollectorTable = { readonly [N in CollectorName]?: CollectorEntry };

/** What each collector publishes, by its name. A collector that did not run, or failed, has no entry. */
export type Readings = {
  readonly [N in CollectorName]?: Extract<
    ReturnType<ReturnType<Collectors[N]['create']>>,
    { readonly ok: true }
  >['value'];
};

/** The names in a table, in its order. */
export function collectorNames(table: CollectorTable): readonly CollectorName[] {
  // `Object.keys` forgets which names a table can have.
  return Object.keys(table) as CollectorName[];
}
