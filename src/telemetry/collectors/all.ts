import type { CollectorEntry } from './collector.ts';
import { collectCpu } from './cpu.ts';
import { collectDisks } from './disks.ts';
import { collectMemory } from './memory.ts';
import { collectPressure } from './pressure.ts';
import { collectProcesses } from './processes.ts';

/** Every collector; a line here is all that a new one needs besides its file, its test and its fixture. */
export const COLLECTORS = {
  cpu: { source: 'host', create: () => collectCpu },
  memory: { source: 'host', create: () => collectMemory },
  pressure: { source: 'host', create: () => collectPressure },
  disks: { source: 'host', create: () => collectDisks },
  processes: { source: 'host', create: () => collectProcesses },
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
