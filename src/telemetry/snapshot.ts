import { type Clock, secondsBetween } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { type CollectorName, type CollectorTable, collectorNames, type Readings } from './collectors/all.ts';
import type { CollectProblem, Host, OpenCollector, SamplerSource } from './collectors/collector.ts';

/**
 * What one sampler process read on one tick. Readings and health are apart: a collector that failed publishes no reading,
 * never an old one, and its health says why. A collector that was not due has neither.
 */
export interface Snapshot extends Readings {
  /** When the reading began, on the monotonic clock that all processes of one boot share. */
  readonly tickNs: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  readonly source: SamplerSource;
  readonly health: Readonly<Partial<Record<CollectorName, CollectorHealth>>>;
  readonly sampler: SamplerCost;
}

/** `down`: it was not asked, as its process does not answer or goes on without it. */
export type CollectorHealth =
  | { readonly status: 'ok'; readonly durationSeconds: number }
  | { readonly status: 'failed'; readonly durationSeconds: number; readonly problem: CollectProblem }
  | { readonly status: 'down'; readonly problem: Problem };

/** What the measuring itself costs and how well it kept its schedule: of one sampler process. */
export interface SamplerCost {
  /** A new pid means a new sampler process, whose counters begin at zero. */
  readonly pid: number;
  readonly intervalMs: number;
  /** CPU time of the sampler process since it started. */
  readonly cpuSeconds: number;
  /** Ticks that were due and not taken since it started. */
  readonly missedTicks: number;
}

/** A collector in the process that runs it. */
export interface RunningCollector {
  readonly name: CollectorName;
  readonly collect: OpenCollector<unknown>;
  readonly minIntervalNs: bigint;
  lastTickNs: bigint | undefined;
}

/** Makes the collectors that one process runs. */
export function openCollectors(table: CollectorTable, source: SamplerSource): readonly RunningCollector[] {
  return collectorNames(table).flatMap((name) => {
    const entry = table[name];
    if (entry?.source !== source) return [];
    const minIntervalNs = BigInt(Math.round((entry.minIntervalMs ?? 0) * 1e6));
    return [{ name, collect: entry.create(), minIntervalNs, lastTickNs: undefined }];
  });
}

export interface SnapshotSources {
  readonly source: SamplerSource;
  readonly collectors: readonly RunningCollector[];
  readonly host: Host;
  readonly watchedPids: readonly number[];
  readonly clock: Clock;
}

/** Runs every collector that is due once; the failure of one does not touch the others. */
export function takeSnapshot(sources: SnapshotSources, sampler: SamplerCost): Snapshot {
  const { source, collectors, host, watchedPids, clock } = sources;
  const tickNs = clock.nowNs();
  const wallMs = clock.wallMs();
  const readings: Partial<Record<CollectorName, unknown>> = {};
  const health: Partial<Record<CollectorName, CollectorHealth>> = {};
  for (const collector of collectors) {
    if (!isDue(collector, tickNs, sampler.intervalMs)) continue;
    collector.lastTickNs = tickNs;
    const startNs = clock.nowNs();
    const outcome = collector.collect(host, watchedPids);
    const durationSeconds = secondsBetween(startNs, clock.nowNs());
    if (outcome.ok) readings[collector.name] = outcome.value;
    health[collector.name] = outcome.ok
      ? { status: 'ok', durationSeconds }
      : { status: 'failed', durationSeconds, problem: outcome.error };
  }
  host.files?.sweep();
  return { tickNs, wallMs, source, ...(readings as Readings), health, sampler };
}

function isDue({ lastTickNs, minIntervalNs }: RunningCollector, tickNs: bigint, intervalMs: number): boolean {
  if (lastTickNs === undefined) return true;
  // A tick may come a little early by comparison with one that was late; the next would be a whole period too late.
  const toleranceNs = BigInt(Math.round(intervalMs * 1e6)) / 2n;
  return tickNs - lastTickNs + toleranceNs >= minIntervalNs;
}
