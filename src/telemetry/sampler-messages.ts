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

/** What can be asked of a process that samples. */
export type SamplingCommand =
  | { readonly type: 'setIntervalMs'; readonly intervalMs: number }
  | { readonly type: 'watchPids'; readonly pids: readonly number[] }
  /** Take one snapshot now, besides the ticks. */
  | { readonly type: 'sample' }
  | { readonly type: 'leaveOut'; readonly collectors: readonly CollectorName[] };

/** From the parent to the sampler process. */
export type ToSampler =
  | ({ readonly type: 'start' } & SamplerStart)
  | SamplingCommand
  /** Write into the process's name what it is doing, where that does not stand there anyway. */
  | { readonly type: 'tellActivity' }
  | { readonly type: 'stop' };

/** The descriptor on which a sampler process writes its snapshots: a pipe beside those for texts, and the channel for commands. */
export const SNAPSHOTS_DESCRIPTOR = 4;

/** What `fork` must be given for that. */
export const SAMPLER_STDIO = ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'] as const;

/**
 * Snapshots, in the order of their ticks, as one line of JSON, which has no large integers: ticks are decimal strings. Any thread can write it,
 * and neither side wakes up for more than the bytes.
 */
export function encodeSnapshots(snapshots: readonly Snapshot[]): string {
  return `${JSON.stringify(snapshots.map((snapshot) => ({ ...snapshot, tickNs: String(snapshot.tickNs) })))}\n`;
}

/** The snapshots of one line of `encodeSnapshots`. */
export function decodeSnapshots(line: string): readonly Snapshot[] {
  const snapshots = JSON.parse(line) as (Omit<Snapshot, 'tickNs'> & { readonly tickNs: string })[];
  return snapshots.map((snapshot) => ({ ...snapshot, tickNs: BigInt(snapshot.tickNs) }));
}
