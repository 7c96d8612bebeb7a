import type { CollectorName } from './collectors/all.ts';
import type { HostRoots, SamplerSource } from './collectors/collector.ts';
import type { Snapshot } from './snapshot.ts';

export interface SamplerStart {
  /** Whose collectors it runs. */
  readonly source: SamplerSource;
  readonly roots: HostRoots;
  readonly intervalMs: number;
  readonly pids: readonly number[];
  /** Collectors of this source that are not run. */
  readonly leftOut: readonly CollectorName[];
}

/** From the parent to the sampler process. */
export type ToSampler =
  | ({ readonly type: 'start' } & SamplerStart)
  | { readonly type: 'setIntervalMs'; readonly intervalMs: number }
  | { readonly type: 'watchPids'; readonly pids: readonly number[] }
  /** Take one snapshot now, besides the ticks. */
  | { readonly type: 'sample' }
  | { readonly type: 'leaveOut'; readonly collectors: readonly CollectorName[] }
  | { readonly type: 'stop' };

/** From the sampler process to the parent. */
export interface FromSampler {
  readonly type: 'snapshots';
  /** In the order of their ticks. */
  readonly snapshots: readonly Snapshot[];
}
