import { type Clock, systemClock } from '../core/clock.ts';
import { type Logger, silentLogger } from '../core/log.ts';
import type { ReadActivity } from './activity.ts';
import { COLLECTORS, type CollectorTable, collectorNames } from './collectors/all.ts';
import { type HostRoots, type SamplerSource, SYSTEM_ROOTS } from './collectors/collector.ts';
import { type LatestReadings, NewestReadings } from './latest-readings.ts';
import type { StartProcess } from './sampler-child.ts';
import type { Snapshot } from './snapshot.ts';
import { type SamplerLimits, type SourceHealth, SourceSampler } from './source-sampler.ts';

export interface SamplerOptions {
  /** The compiled `sampler-main.js`. */
  readonly entry: URL;
  readonly intervalMs: number;
  readonly roots?: HostRoots;
  readonly logger?: Logger;
  readonly limits?: Partial<SamplerLimits>;
  readonly startProcess?: StartProcess;
  readonly readActivity?: ReadActivity;
  /** What the entry collects; a source that nothing here names has no process. */
  readonly collectors?: CollectorTable;
  readonly clock?: Clock;
}

export interface SamplerHealth {
  /** `up`: some source delivers and none is down. `starting`: the first snapshot is awaited. */
  readonly state: SourceHealth['state'];
  readonly sources: Readonly<Partial<Record<SamplerSource, SourceHealth>>>;
}

/** No source is sampled faster than this, whatever is asked: a GPU driver has nothing newer, and a disk would be busy with answers. */
const LEAST_INTERVAL_MS: Readonly<Record<SamplerSource, number>> = { host: 1, gpu: 100, slow: 1_000 };

const SOURCES = ['host', 'gpu', 'slow'] as const satisfies readonly SamplerSource[];

const DEFAULT_LIMITS: SamplerLimits = {
  silenceMs: 5_000,
  killAfterMs: 2_000,
  firstBackoffMs: 500,
  maxBackoffMs: 30_000,
  hangsInRow: 3,
  firstLeaveOutMs: 30_000,
  maxLeaveOutMs: 600_000,
  restMs: 600_000,
};

/** Starts sampling the host in processes of its own. Returns at once; the first snapshot follows in some 100 ms. */
export function startSampler(options: SamplerOptions): Sampler {
  return new Sampler(options);
}

/**
 * Samples the host in one process per source. A reading may hang in a driver for ever, so only those processes ever read:
 * one that hangs is replaced alone, while the others go on. Nothing here waits, and nothing keeps the daemon alive.
 */
export class Sampler {
  readonly #sources: ReadonlyMap<SamplerSource, SourceSampler>;
  readonly #newest: NewestReadings;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();

  constructor(options: SamplerOptions) {
    checkIntervalMs(options.intervalMs);
    const table = options.collectors ?? COLLECTORS;
    this.#newest = new NewestReadings(table, options.clock ?? systemClock);
    const collectorsOf = (source: SamplerSource) =>
      collectorNames(table).filter((name) => table[name]?.source === source);
    this.#sources = new Map(
      SOURCES.filter((source) => collectorsOf(source).length > 0).map((source) => [
        source,
        new SourceSampler({
          source,
          collectors: collectorsOf(source),
          entry: options.entry,
          intervalMs: intervalOf(source, options.intervalMs),
          roots: options.roots ?? SYSTEM_ROOTS,
          logger: options.logger ?? silentLogger,
          limits: { ...DEFAULT_LIMITS, ...options.limits },
          startProcess: options.startProcess,
          readActivity: options.readActivity,
          onSnapshot: (snapshot) => this.#publish(snapshot),
        }),
      ]),
    );
  }

  /** What is known of the host now. Reads memory only. */
  latest(): LatestReadings {
    return this.#newest.latest(this.health().sources);
  }

  /** Calls `listener` with every snapshot of every source. Returns the function that ends it. */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes the period, in milliseconds, from now on, and ends a pause. Sources that cannot go so fast go as fast as they can. */
  setIntervalMs(intervalMs: number): void {
    checkIntervalMs(intervalMs);
    for (const [source, sampler] of this.#sources) sampler.setIntervalMs(intervalOf(source, intervalMs));
  }

  /**
   * Ends all processes until `setIntervalMs`, so that nothing at all is read of the host. Resolves when they are gone, within
   * twice `killAfterMs`; never rejects.
   */
  async pause(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((sampler) => sampler.pause()));
  }

  /** Watches these processes from now on, instead of those named before. */
  watch(pids: readonly number[]): void {
    for (const sampler of this.#sources.values()) sampler.watch(pids);
  }

  /** Has a snapshot of one source taken now, besides its ticks; it comes to the listeners like every other. */
  sample(source: SamplerSource): void {
    this.#sources.get(source)?.sample();
  }

  health(): SamplerHealth {
    const sources: Partial<Record<SamplerSource, SourceHealth>> = {};
    for (const [source, sampler] of this.#sources) sources[source] = sampler.health();
    return { state: joinedState(Object.values(sources).map(({ state }) => state)), sources };
  }

  /** Ends the processes. Resolves within twice `killAfterMs` even when they hang; never rejects. */
  async stop(): Promise<void> {
    await Promise.all([...this.#sources.values()].map((sampler) => sampler.stop()));
  }

  #publish(snapshot: Snapshot): void {
    this.#newest.add(snapshot);
    for (const listener of this.#listeners) listener(snapshot);
  }
}

function joinedState(states: readonly SourceHealth['state'][]): SourceHealth['state'] {
  for (const state of ['down', 'up', 'starting', 'paused', 'resting'] as const)
    if (states.includes(state)) return state;
  return 'stopped';
}

function intervalOf(source: SamplerSource, intervalMs: number): number {
  return Math.max(intervalMs, LEAST_INTERVAL_MS[source]);
}

function checkIntervalMs(intervalMs: number): void {
  if (intervalMs >= 1 && intervalMs <= 3_600_000) return;
  throw new RangeError(`expected a sampling interval from 1 ms to 1 h but found ${intervalMs} ms`);
}
