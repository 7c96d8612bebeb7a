import type { Collector } from './collector.ts';
import { collectCpu } from './cpu.ts';
import { collectDisks } from './disks.ts';
import { collectMemory } from './memory.ts';
import { collectPressure } from './pressure.ts';
import { collectProcesses } from './processes.ts';

/**
 * Every collector of a snapshot; a line here is all that a new one needs besides its file, its test and its fixture.
 * A function, so that a collector that holds something open (a driver's library) opens it when the sampler starts.
 */
export function createCollectors() {
  return {
    cpu: collectCpu,
    memory: collectMemory,
    pressure: collectPressure,
    disks: collectDisks,
    processes: collectProcesses,
  } as const satisfies Record<string, Collector<unknown>>;
}

type Collectors = ReturnType<typeof createCollectors>;

export type CollectorName = keyof Collectors;

/** What each collector publishes, by its name. A collector that failed has no entry. */
export type Readings = {
  readonly [N in CollectorName]?: Extract<ReturnType<Collectors[N]>, { readonly ok: true }>['value'];
};
