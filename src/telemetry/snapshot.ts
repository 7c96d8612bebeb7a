import { type Clock, secondsBetween } from '../core/clock.ts';
import type { CollectorName, createCollectors, Readings } from './collectors/all.ts';
import type { CollectProblem, Host } from './collectors/collector.ts';

/**
 * The host at one instant. Readings and health are apart: a collector that failed publishes no reading, never an old one,
 * and its health says why.
 */
export interface Snapshot extends Readings {
  /** When the reading began, on the monotonic clock that all processes of one boot share. */
  readonly tickNs: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  readonly health: Readonly<Record<CollectorName, CollectorHealth>>;
  readonly sampler: SamplerCost;
}

type CollectorHealth =
  | { readonly status: 'ok'; readonly durationSeconds: number }
  | { readonly status: 'failed'; readonly durationSeconds: number; readonly problem: CollectProblem };

/** What the measuring itself costs and how well it kept its schedule. */
export interface SamplerCost {
  /** A new pid means a new sampler process, whose counters begin at zero. */
  readonly pid: number;
  readonly intervalMs: number;
  /** CPU time of the sampler process since it started. */
  readonly cpuSeconds: number;
  /** Ticks that were due and not taken since it started. */
  readonly missedTicks: number;
}

export interface SnapshotSources {
  readonly collectors: ReturnType<typeof createCollectors>;
  readonly host: Host;
  readonly watchedPids: readonly number[];
  readonly clock: Clock;
}

/** Runs every collector once; the failure of one does not touch the others. */
export function takeSnapshot(sources: SnapshotSources, sampler: SamplerCost): Snapshot {
  const { collectors, host, watchedPids, clock } = sources;
  const tickNs = clock.nowNs();
  const wallMs = clock.wallMs();
  const readings: Partial<Record<CollectorName, unknown>> = {};
  const health: Partial<Record<CollectorName, CollectorHealth>> = {};
  for (const name of Object.keys(collectors) as CollectorName[]) {
    const startNs = clock.nowNs();
    const outcome = collectors[name](host, watchedPids);
    const durationSeconds = secondsBetween(startNs, clock.nowNs());
    if (outcome.ok) readings[name] = outcome.value;
    health[name] = outcome.ok
      ? { status: 'ok', durationSeconds }
      : { status: 'failed', durationSeconds, problem: outcome.error };
  }
  host.files?.sweep();
  return {
    tickNs,
    wallMs,
    ...(readings as Readings),
    health: health as Record<CollectorName, CollectorHealth>,
    sampler,
  };
}
