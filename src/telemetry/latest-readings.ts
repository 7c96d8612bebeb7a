import { type Clock, secondsBetween } from '../core/clock.ts';
import { type Problem, problem } from '../core/problem.ts';
import { type CollectorName, type CollectorTable, collectorNames, type Readings } from './collectors/all.ts';
import type { SamplerSource } from './collectors/collector.ts';
import type { CollectorHealth, SamplerCost, Snapshot } from './snapshot.ts';
import type { SourceHealth } from './source-sampler.ts';

/**
 * What is known of the host now: of every collector the newest reading, where that is still fresh. A collector without
 * health has not been heard of yet.
 */
export interface LatestReadings extends Readings {
  readonly health: Readonly<Partial<Record<CollectorName, LatestHealth>>>;
  readonly sources: Readonly<Partial<Record<SamplerSource, SourceState>>>;
}

export type LatestHealth = CollectorHealth & {
  /** Milliseconds since the Unix epoch; it outlives the reading. */
  readonly lastSuccessMs?: number;
};

/** A sampler process, and what it costs; without `cost` it has not delivered. */
export interface SourceState extends SourceHealth {
  readonly cost?: SamplerCost;
}

/** What a collector last told. */
interface Told {
  readonly tickNs: bigint;
  readonly intervalMs: number;
  readonly reading: unknown;
  readonly health: CollectorHealth;
  readonly lastSuccessMs: number | undefined;
}

/** A reading is shown for this many of its intervals, and for so long at least. */
const FRESH_INTERVALS = 3;
const FRESH_MS = 5_000;

/** Joins the partial snapshots of all sources, and shows nothing that is too old to be the present. */
export class NewestReadings {
  readonly #table: CollectorTable;
  readonly #clock: Clock;
  readonly #told = new Map<CollectorName, Told>();
  readonly #costs = new Map<SamplerSource, SamplerCost>();

  constructor(table: CollectorTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  add(snapshot: Snapshot): void {
    this.#costs.set(snapshot.source, snapshot.sampler);
    for (const name of Object.keys(snapshot.health) as CollectorName[]) {
      const health = snapshot.health[name];
      if (health === undefined) continue;
      const reading = snapshot[name];
      this.#told.set(name, {
        tickNs: snapshot.tickNs,
        intervalMs: Math.max(snapshot.sampler.intervalMs, this.#table[name]?.minIntervalMs ?? 0),
        reading,
        health,
        lastSuccessMs: reading === undefined ? this.#told.get(name)?.lastSuccessMs : snapshot.wallMs,
      });
    }
  }

  /** @param sources  how the processes are that the snapshots come from */
  latest(sources: Readonly<Partial<Record<SamplerSource, SourceHealth>>>): LatestReadings {
    const nowNs = this.#clock.nowNs();
    const readings: Partial<Record<CollectorName, unknown>> = {};
    const health: Partial<Record<CollectorName, LatestHealth>> = {};
    for (const name of collectorNames(this.#table)) {
      // A pause is no fault, and says nothing of the host.
      if (sources[this.#table[name]?.source ?? 'host']?.state === 'paused') continue;
      const told = this.#told.get(name);
      const reason = this.#whyDown(name, told, sources, nowNs);
      const fared: CollectorHealth | undefined =
        reason === undefined ? told?.health : { status: 'down', problem: reason };
      if (fared === undefined) continue;
      if (reason === undefined && told?.reading !== undefined) readings[name] = told.reading;
      health[name] =
        told?.lastSuccessMs === undefined ? fared : { ...fared, lastSuccessMs: told.lastSuccessMs };
    }
    return { ...(readings as Readings), health, sources: this.#states(sources) };
  }

  #whyDown(
    name: CollectorName,
    told: Told | undefined,
    sources: Readonly<Partial<Record<SamplerSource, SourceHealth>>>,
    nowNs: bigint,
  ): Problem | undefined {
    // What the host does not have it has not while nobody looks either.
    if (told?.health.status === 'failed' && told.health.problem.kind === 'absent') return undefined;
    const source = sources[this.#table[name]?.source ?? 'host'];
    const leftOut = source?.leftOut?.[name];
    if (leftOut !== undefined) return leftOut;
    if (source?.state === 'down') return source.problem;
    if (source?.state === 'stopped') return problem('sampler-stopped', 'The sampler has been stopped.');
    if (told === undefined) return undefined;
    const ageSeconds = secondsBetween(told.tickNs, nowNs);
    if (ageSeconds * 1e3 <= Math.max(FRESH_INTERVALS * told.intervalMs, FRESH_MS)) return undefined;
    return problem(
      'collector-stale',
      `The collector ${name} has told nothing for ${ageSeconds.toFixed(1)} s.`,
    );
  }

  #states(
    sources: Readonly<Partial<Record<SamplerSource, SourceHealth>>>,
  ): Partial<Record<SamplerSource, SourceState>> {
    const states: Partial<Record<SamplerSource, SourceState>> = {};
    for (const [source, health] of Object.entries(sources) as [SamplerSource, SourceHealth][]) {
      const cost = health.state === 'up' ? this.#costs.get(source) : undefined;
      states[source] = { ...health, ...(cost === undefined ? {} : { cost }) };
    }
    return states;
  }
}
