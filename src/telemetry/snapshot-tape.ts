import { type Clock, secondsBetween } from '../core/clock.ts';
import { problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import type { Activity } from './activity.ts';
import type { CollectorName, Readings } from './collectors/all.ts';
import type { CollectProblem, Host, HostRoots, SamplerSource } from './collectors/collector.ts';
import { FileTape, NotOnTape, type Recording } from './collectors/file-tape.ts';
import type { OpenFiles } from './collectors/open-files.ts';
import { isDue, type RunningCollector, ran } from './running-collector.ts';
import { type CollectorHealth, healthOf, type SamplerCost, type Snapshot } from './snapshot.ts';

export interface SnapshotTapeOptions {
  readonly source: SamplerSource;
  readonly collectors: readonly RunningCollector[];
  readonly roots: HostRoots;
  readonly files: OpenFiles;
  readonly clock: Clock;
  /**
   * Whether a tick only copies the files that a collector reads, to be parsed when the snapshots are asked for. For collectors
   * that read by `Host.files` alone.
   */
  readonly copiesFiles: boolean;
  /** Told of each collector before it runs. */
  readonly activity?: Activity;
}

/** What a tick goes by. */
export interface TickSettings {
  readonly watchedPids: readonly number[];
  /** Collectors that are not run. */
  readonly leftOut: ReadonlySet<CollectorName>;
  readonly sampler: SamplerCost;
}

interface Tick {
  readonly settings: TickSettings;
  readonly tickNs: bigint;
  readonly wallMs: number;
  readonly takes: Map<RunningCollector, Take>;
}

/** A collector's part of a tick: what it read, or the copies that it is yet to read. */
interface Take {
  readonly seconds: number;
  readonly read: Recording | Outcome;
}

type Outcome = Result<unknown, CollectProblem>;

/**
 * Takes snapshots in two steps. A processor that slept between two ticks finds neither code nor data in its caches, so a tick does as little
 * as it can: it copies files. They are parsed later, those of many ticks at once.
 */
export class SnapshotTape {
  readonly #options: SnapshotTapeOptions;
  readonly #tape: FileTape;
  readonly #host: Host;
  /** The files that a collector read last. */
  readonly #filesOf = new Map<RunningCollector, readonly string[]>();
  #ticks: Tick[] = [];

  constructor(options: SnapshotTapeOptions) {
    this.#options = options;
    this.#tape = new FileTape(options.files);
    this.#host = { ...options.roots, files: this.#tape };
  }

  get length(): number {
    return this.#ticks.length;
  }

  get firstTickNs(): bigint | undefined {
    return this.#ticks[0]?.tickNs;
  }

  /** Has every collector read by itself on the next tick, as they are to read other files. */
  forgetFiles(): void {
    this.#filesOf.clear();
  }

  /** Reads what is due once; the failure of one collector does not touch the others. */
  record(settings: TickSettings): void {
    const { collectors, clock, activity } = this.#options;
    const { leftOut, sampler } = settings;
    const tickNs = clock.nowNs();
    const tick: Tick = { settings, tickNs, wallMs: clock.wallMs(), takes: new Map() };
    let startNs = tickNs;
    for (const collector of collectors) {
      if (leftOut.has(collector.name) || !isDue(collector, tickNs, sampler.intervalMs)) continue;
      activity?.enter(collector.name);
      const files = this.#filesOf.get(collector);
      const read = files === undefined ? this.#readNow(collector, tick) : this.#tape.record(files);
      const endNs = clock.nowNs();
      tick.takes.set(collector, { read, seconds: secondsBetween(startNs, endNs) });
      startNs = endNs;
      ran(collector, tickNs, 'ok' in read && isAbsent(read));
    }
    activity?.leave();
    this.#ticks.push(tick);
  }

  /** The snapshots of all ticks since the last call, in their order. */
  develop(): readonly Snapshot[] {
    const ticks = this.#ticks;
    this.#ticks = [];
    const { source, collectors, activity } = this.#options;
    const snapshots = ticks.map(({ tickNs, wallMs, settings: { sampler } }) => ({
      tickNs,
      wallMs,
      readings: {} as Partial<Record<CollectorName, unknown>>,
      health: {} as Partial<Record<CollectorName, CollectorHealth>>,
      sampler,
    }));
    let hasParsed = false;
    // Collector by collector: the next tick's text is then parsed by code that has just run.
    for (const collector of collectors) {
      if (ticks.some(({ takes }) => isRecording(takes.get(collector)))) {
        activity?.enter(collector.name);
        hasParsed = true;
      }
      for (const [index, tick] of ticks.entries()) {
        const take = tick.takes.get(collector);
        const snapshot = snapshots[index];
        if (take === undefined || snapshot === undefined) continue;
        const { read, seconds } = take;
        const parsed = 'ok' in read ? { outcome: read, seconds: 0 } : this.#parse(collector, tick, read);
        if (parsed === undefined) continue;
        if (parsed.outcome.ok) snapshot.readings[collector.name] = parsed.outcome.value;
        snapshot.health[collector.name] = healthOf(collector, parsed.outcome, seconds + parsed.seconds);
      }
    }
    if (hasParsed) activity?.leave();
    this.#tape.rewind();
    return snapshots.map(({ tickNs, wallMs, readings, health, sampler }) => {
      return { tickNs, wallMs, source, ...(readings as Readings), health, sampler };
    });
  }

  #readNow(collector: RunningCollector, tick: Tick): Outcome {
    this.#tape.note();
    const outcome = this.#run(collector, tick);
    if (!this.#options.copiesFiles || !outcome.ok) return outcome;
    const files = this.#tape.noted();
    if (files.length > 0) this.#filesOf.set(collector, files);
    return outcome;
  }

  /** Undefined where the collector wants a file that it did not want before: it has no reading of this tick, and reads by itself on the next. */
  #parse(
    collector: RunningCollector,
    tick: Tick,
    recording: Recording,
  ): { readonly outcome: Outcome; readonly seconds: number } | undefined {
    const { clock } = this.#options;
    const startNs = clock.nowNs();
    this.#tape.play(recording);
    try {
      const outcome = this.#run(collector, tick);
      if (!outcome.ok) this.#filesOf.delete(collector);
      if (!outcome.ok && isAbsent(outcome)) collector.isAbsent = true;
      return { outcome, seconds: secondsBetween(startNs, clock.nowNs()) };
    } catch (error) {
      if (!(error instanceof NotOnTape)) throw error;
      this.#filesOf.delete(collector);
      return undefined;
    }
  }

  #run(collector: RunningCollector, { settings }: Tick): Outcome {
    try {
      collector.collect ??= collector.create();
      return collector.collect(this.#host, settings.watchedPids);
    } catch (error) {
      if (error instanceof NotOnTape) throw error;
      // A fault in one collector must not take those down that share its process.
      const thrown = error instanceof Error ? error.message : String(error);
      return err(problem('internal-fault', `A fault in the collector ${collector.name}: ${thrown}`));
    }
  }
}

function isRecording(take: Take | undefined): boolean {
  return take !== undefined && !('ok' in take.read);
}

function isAbsent(outcome: Outcome): boolean {
  return !outcome.ok && outcome.error.kind === 'absent';
}
