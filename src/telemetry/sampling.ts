import { type Clock, systemClock } from '../core/clock.ts';
import type { Activity } from './activity.ts';
import type { CollectorName, CollectorTable } from './collectors/all.ts';
import { OpenFiles } from './collectors/open-files.ts';
import { collectorsOf, nextDueNs, type RunningCollector } from './running-collector.ts';
import { encodeSnapshots, type SamplerStart, type SamplingCommand } from './sampler-messages.ts';
import { SnapshotTape } from './snapshot-tape.ts';
import { advance, delayMs, restUntil, startSchedule, type TickSchedule } from './tick-schedule.ts';

/**
 * Snapshots are handed over together for so long: to parse the first, and to wake the parent, take as long as to read the
 * host. Who cannot wait asks for a sample, with which all that is there is handed over.
 */
const HAND_OVER_MS = 800;

/** Slower samples are handed over one by one: few together would save little. */
const LONGEST_HELD_INTERVAL_MS = HAND_OVER_MS / 4;

/** Where nothing is due for longer, as on a host without what a source reads, a tick now and then still shows that it lives. */
const LONGEST_REST_NS = 1_000_000_000n;

/** More are not held back, at whatever rate. */
const MAX_HELD_SNAPSHOTS = 40;

/** How often files are closed that are read no more. */
const SWEEP_NS = 5_000_000_000n;

export interface SamplingOutlets {
  /** Takes snapshots, as `encodeSnapshots` has them. */
  readonly write: (line: string) => void;
  readonly activity: Activity;
  readonly clock?: Clock;
}

/** Something that samples until it is stopped. */
export interface SamplingDriver {
  obey(command: SamplingCommand): void;
  /** Writes into the name of the process what it is doing, where that does not stand there anyway. */
  tellActivity?(): void;
  stop(): void;
}

/** Samples one source of the host. Whoever drives it calls `turn` when a tick is due, and does nothing but wait meanwhile. */
export class Sampling {
  readonly #collectors: readonly RunningCollector[];
  readonly #write: SamplingOutlets['write'];
  readonly #clock: Clock;
  readonly #files = new OpenFiles();
  readonly #pid = process.pid;
  readonly #activity: Activity;
  readonly #tape: SnapshotTape;
  #intervalMs: number;
  #pids: readonly number[];
  #leftOut: ReadonlySet<CollectorName>;
  #schedule: TickSchedule;
  #isAwaited = true;
  #cpuSeconds = 0;
  #sweptNs = 0n;

  constructor(
    table: CollectorTable,
    { source, roots, intervalMs, pids, leftOut }: SamplerStart,
    { write, activity, clock = systemClock }: SamplingOutlets,
  ) {
    this.#collectors = collectorsOf(table, source);
    this.#write = write;
    this.#clock = clock;
    this.#activity = activity;
    this.#tape = new SnapshotTape({
      source,
      collectors: this.#collectors,
      roots,
      files: this.#files,
      clock,
      copiesFiles: source === 'host',
      activity,
    });
    this.#intervalMs = intervalMs;
    this.#pids = pids;
    this.#leftOut = new Set(leftOut);
    this.#schedule = startSchedule(this.#clock.nowNs(), intervalMs);
  }

  /** Takes the sample that is due, if one is. Returns how long to wait for the next, in milliseconds and fractions of one. */
  turn(): number {
    const nowNs = this.#clock.nowNs();
    // Who waits may be woken early.
    if (delayMs(this.#schedule, nowNs) === 0) {
      this.#schedule = advance(this.#schedule, nowNs);
      this.#take();
      const dueNs = nextDueNs(this.#collectors, this.#leftOut, this.#intervalMs);
      if (dueNs !== 0n) {
        const latestNs = nowNs + LONGEST_REST_NS;
        this.#schedule = restUntil(
          this.#schedule,
          dueNs === undefined || dueNs > latestNs ? latestNs : dueNs,
        );
      }
    }
    return delayMs(this.#schedule, this.#clock.nowNs());
  }

  /** Does what was asked for, after which a tick may be due. */
  obey(command: SamplingCommand): void {
    switch (command.type) {
      case 'setIntervalMs':
        this.#intervalMs = command.intervalMs;
        this.#schedule = startSchedule(this.#clock.nowNs(), command.intervalMs, this.#schedule.missedTicks);
        this.#isAwaited = true;
        return;
      case 'watchPids':
        this.#pids = command.pids;
        this.#tape.forgetFiles();
        return;
      case 'sample':
        this.#isAwaited = true;
        this.#take();
        return;
      case 'leaveOut':
        this.#leftOut = new Set(command.collectors);
    }
  }

  /** Lets go of what it holds open. */
  close(): void {
    for (const { name, collect } of this.#collectors) {
      this.#activity.enter(name);
      collect?.close?.();
    }
    this.#activity.close();
  }

  #take(): void {
    if (this.#tape.length === 0) this.#cpuSeconds = ownCpuSeconds();
    this.#tape.record({
      watchedPids: this.#pids,
      leftOut: this.#leftOut,
      sampler: {
        pid: this.#pid,
        intervalMs: this.#intervalMs,
        cpuSeconds: this.#cpuSeconds,
        missedTicks: this.#schedule.missedTicks,
      },
    });
    if (this.#isTimeToHandOver()) this.#handOver();
  }

  #isTimeToHandOver(): boolean {
    const { firstTickNs, length } = this.#tape;
    if (this.#isAwaited || this.#intervalMs > LONGEST_HELD_INTERVAL_MS) return true;
    if (firstTickNs === undefined || length >= MAX_HELD_SNAPSHOTS) return true;
    return Number(this.#clock.nowNs() - firstTickNs) / 1e6 + this.#intervalMs > HAND_OVER_MS;
  }

  #handOver(): void {
    this.#isAwaited = false;
    this.#write(encodeSnapshots(this.#tape.develop()));
    const nowNs = this.#clock.nowNs();
    if (nowNs - this.#sweptNs < SWEEP_NS) return;
    this.#files.sweep();
    this.#sweptNs = nowNs;
  }
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  // A tick takes some 500 µs; what is below a tenth of a millisecond is noise that a timeline would have to keep.
  return Math.round((user + system) / 100) / 1e4;
}
