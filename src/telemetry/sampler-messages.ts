import type { HostRoots, SamplerSource } from './collectors/collector.ts';
import type { Snapshot } from './snapshot.ts';

export interface SamplerStart {
  /** Whose collectors it runs. */
  readonly source: SamplerSource;
  readonly roots: HostRoots;
  readonly intervalMs: number;
  readonly pids: readonly number[];
}

/** From the parent to the sampler process. */
export type ToSampler =
  | ({ readonly type: 'start' } & SamplerStart)
  | { readonly type: 'setIntervalMs'; readonly intervalMs: number }
  | { readonly type: 'watchPids'; readonly pids: readonly number[] }
  /** Take one snapshot now, besides the ticks. */
  | { readonly type: 'sample' }
  | { readonly type: 'stop' };

/** From the sampler process to the parent. */
export interface FromSampler {
  readonly type: 'snapshot';
  readonly snapshot: Snapshot;
}
