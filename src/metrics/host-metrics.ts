import { DISK_FAMILIES } from './disk-families.ts';
import type { MetricRegistry } from './families.ts';
import { registerGroups } from './family-table.ts';
import { GPU_FAMILIES } from './gpu-families.ts';
import { HOST_FAMILIES } from './host-families.ts';
import type { HostSnapshot } from './host-snapshot.ts';
import { createSamplerMetrics, type ObservedHealth } from './sampler-metrics.ts';
import { createWorkerMetrics, type WorkerMetrics } from './worker-metrics.ts';

/** What a sampler process told on one tick. */
export type ObservedSnapshot = ObservedHealth & Pick<HostSnapshot, 'processes'>;

export interface HostMetrics extends Pick<WorkerMetrics, 'workerStarted' | 'workerEnded'> {
  /** Shows the host as it is now; what the snapshot leaves out is shown no more. */
  setHost(snapshot: HostSnapshot): void;
  /** Counts what adds up from one snapshot to the next; to be called with every one. */
  observeSnapshot(snapshot: ObservedSnapshot): void;
}

/** Registers the metrics of the host, of our workers on it, and of the sampler that reads it. */
export function createHostMetrics(registry: MetricRegistry): HostMetrics {
  const setHost = registerGroups<HostSnapshot>(registry, [
    ...HOST_FAMILIES,
    ...DISK_FAMILIES,
    ...GPU_FAMILIES,
  ]);
  const workers = createWorkerMetrics(registry);
  const sampler = createSamplerMetrics(registry);
  return {
    workerStarted: workers.workerStarted,
    workerEnded: workers.workerEnded,
    setHost: (snapshot) => {
      setHost(snapshot);
      workers.set(snapshot);
      sampler.set(snapshot);
    },
    observeSnapshot: (snapshot) => {
      workers.observe(snapshot);
      sampler.observe(snapshot);
    },
  };
}
