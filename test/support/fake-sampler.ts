import type { Sampler, SamplerHealth } from '../../src/telemetry/sampler.ts';
import type { Snapshot } from '../../src/telemetry/snapshot.ts';

export interface FakeSampler {
  readonly sampler: Sampler;
  readonly publish: (snapshot: Snapshot) => void;
  readonly setState: (state: SamplerHealth['state']) => void;
  /** What it was told: `watch 1,2`, `interval 100` and `sample host`. */
  readonly told: readonly string[];
}

/** A sampler without a process. */
export function fakeSampler(): FakeSampler {
  const listeners = new Set<(snapshot: Snapshot) => void>();
  const told: string[] = [];
  let state: SamplerHealth['state'] = 'up';
  const surface: Pick<
    Sampler,
    'latest' | 'onSnapshot' | 'setIntervalMs' | 'pause' | 'watch' | 'sample' | 'health' | 'stop'
  > = {
    latest: () => ({ health: {}, sources: {} }),
    onSnapshot: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setIntervalMs: (intervalMs) => void told.push(`interval ${intervalMs}`),
    pause: async () => void told.push('pause'),
    watch: (pids) => void told.push(`watch ${pids.join(',')}`),
    sample: (source) => void told.push(`sample ${source}`),
    health: () => ({ state, sources: { host: { state, restarts: 0 }, gpu: { state, restarts: 0 } } }),
    stop: async () => {},
  };
  return {
    // The class has private state, which nobody outside of it can see.
    sampler: surface as Sampler,
    publish: (snapshot) => {
      for (const listener of listeners) listener(snapshot);
    },
    setState: (next) => {
      state = next;
    },
    told,
  };
}
