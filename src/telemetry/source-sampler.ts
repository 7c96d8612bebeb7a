import type { Logger } from '../core/log.ts';
import { type Problem, problem } from '../core/problem.ts';
import type { ReadActivity } from './activity.ts';
import type { CollectorName } from './collectors/all.ts';
import type { HostRoots, SamplerSource } from './collectors/collector.ts';
import { type HangLimits, HangRecord } from './hang-record.ts';
import { SamplerChild, type SamplerProblem, type StartProcess } from './sampler-child.ts';
import type { CollectorHealth, Snapshot } from './snapshot.ts';

export interface SourceSamplerOptions {
  readonly source: SamplerSource;
  /** What the source consists of. */
  readonly collectors: readonly CollectorName[];
  readonly entry: URL;
  readonly intervalMs: number;
  readonly roots: HostRoots;
  readonly logger: Logger;
  readonly limits: SamplerLimits;
  readonly startProcess: StartProcess | undefined;
  readonly readActivity: ReadActivity | undefined;
  readonly onSnapshot: (snapshot: Snapshot) => void;
}

export interface SamplerLimits extends HangLimits {
  /** Without a snapshot for this long, or for ten periods if that is longer, the child counts as hung. */
  readonly silenceMs: number;
  /** From SIGTERM to SIGKILL, and from there to giving up. */
  readonly killAfterMs: number;
  /** Pause before the first restart; it doubles with every further one. */
  readonly firstBackoffMs: number;
  /** Longest pause. A child that lived for longer than this sets the pause back to the first. */
  readonly maxBackoffMs: number;
  /** So long there is no process where this host has nothing of what it would read. */
  readonly restMs: number;
}

export interface SourceHealth {
  /**
   * `up`: snapshots arrive. `starting`: the first is awaited. `down`: they stopped, `problem` says why. `paused`: there is no
   * process until `setIntervalMs`. `resting`: this host has nothing of what it would read; after a while it is looked for again.
   */
  readonly state: 'starting' | 'up' | 'down' | 'paused' | 'resting' | 'stopped';
  readonly pid?: number;
  /** Restarts since the sampler was started. */
  readonly restarts: number;
  /** What went wrong last; it stays after a restart that helped. */
  readonly problem?: SamplerProblem;
  /** Collectors that are not run for a while, and why. */
  readonly leftOut?: Readonly<Partial<Record<CollectorName, Problem>>>;
}

/**
 * Keeps the process of one source running: replaces it when it ends or falls silent, and says so meanwhile. A collector that
 * hung several times in a row is left out for a while, so that the others of its process come back.
 */
export class SourceSampler {
  readonly #options: SourceSamplerOptions;
  readonly #limits: SamplerLimits;
  readonly #hangs: HangRecord;
  /** Processes that cannot be killed, and the collectors that hang in them: each hangs for as long as its process exists. */
  readonly #stuck = new Map<SamplerChild, CollectorName>();
  #intervalMs: number;
  #pids: readonly number[] = [];
  #child: SamplerChild | undefined;
  #childStartedMs = 0;
  /** The collector in which the present process fell silent. */
  #hung: CollectorName | undefined;
  #leftOut: Partial<Record<CollectorName, Problem>> | undefined;
  #state: SourceHealth['state'] = 'starting';
  #problem: SamplerProblem | undefined;
  #restarts = 0;
  #consecutiveFailures = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #returnTimer: NodeJS.Timeout | undefined;
  #restTimer: NodeJS.Timeout | undefined;
  /** Collectors that said last that this host has nothing for them to read. */
  readonly #absent = new Set<CollectorName>();

  constructor(options: SourceSamplerOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#hangs = new HangRecord(options.limits);
    this.#intervalMs = options.intervalMs;
    this.#startChild();
  }

  /** Changes the period, in milliseconds, from now on. Ends a pause. */
  setIntervalMs(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    if (this.#state === 'paused') {
      this.#state = 'starting';
      // A process that has not ended yet is followed by another when it has.
      if (this.#child === undefined) this.#startChild();
      return;
    }
    this.#child?.setSilenceLimitMs(this.#silenceLimitMs());
    this.#child?.send({ type: 'setIntervalMs', intervalMs });
  }

  /** Watches these processes from now on, instead of those named before. */
  watch(pids: readonly number[]): void {
    this.#pids = [...pids];
    this.#child?.send({ type: 'watchPids', pids: this.#pids });
  }

  /** Has a snapshot taken now, besides the ticks. */
  sample(): void {
    this.#child?.send({ type: 'sample' });
  }

  health(): SourceHealth {
    const pid = this.#child?.pid;
    return {
      state: this.#state,
      restarts: this.#restarts,
      ...(pid === undefined || this.#isIdle() ? {} : { pid }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ...(this.#leftOut === undefined ? {} : { leftOut: this.#leftOut }),
    };
  }

  /** Ends the process until `setIntervalMs`, so that nothing at all is read. Resolves as `stop` does. */
  async pause(): Promise<void> {
    if (this.#isIdle() && this.#state !== 'resting') return;
    this.#state = 'paused';
    await this.#endChild();
  }

  /** Ends the process. Resolves within twice `killAfterMs` even when it hangs; never rejects. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    await this.#endChild();
  }

  async #endChild(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = undefined;
    clearTimeout(this.#returnTimer);
    clearTimeout(this.#restTimer);
    await this.#child?.stop();
  }

  /** A process that has nothing to read only uses memory, and time whenever it looks. */
  #rest(): void {
    this.#state = 'resting';
    void this.#endChild();
    this.#restTimer = setTimeout(() => {
      this.#state = 'starting';
      // A process that has not ended yet is followed by another when it has.
      if (this.#child === undefined) this.#startChild();
    }, this.#limits.restMs).unref();
  }

  #startChild(): void {
    const { entry, collectors, startProcess, readActivity } = this.#options;
    const leftOut = this.#chooseLeftOut();
    // A process without a collector would only use memory. `#takeBack` starts one when there is something to run.
    if (leftOut.length === collectors.length) return;
    this.#childStartedMs = performance.now();
    this.#hung = undefined;
    try {
      const child: SamplerChild = new SamplerChild(
        {
          entry,
          collectors,
          silenceLimitMs: this.#silenceLimitMs(),
          killAfterMs: this.#limits.killAfterMs,
          startProcess,
          readActivity,
        },
        {
          snapshot: (snapshot) => this.#publish(snapshot),
          down: (reason, hung) => this.#markHung(reason, hung),
          stuck: (reason) => this.#markStuck(child, reason),
          ended: () => this.#ended(child),
        },
      );
      this.#child = child;
    } catch (error) {
      // Some failures of `fork` are thrown, lack of memory among them; that too may pass.
      this.#markDown(problem('sampler-not-started', `The sampler cannot be started: ${String(error)}`));
      this.#restartLater();
      return;
    }
    this.#child.send({
      type: 'start',
      source: this.#options.source,
      roots: this.#options.roots,
      intervalMs: this.#intervalMs,
      pids: this.#pids,
      leftOut,
    });
  }

  #publish(snapshot: Snapshot): void {
    if (this.#isIdle()) return;
    this.#state = 'up';
    for (const name of Object.keys(snapshot.health) as CollectorName[]) {
      this.#hangs.returned(name);
      if (isAbsent(snapshot.health[name])) this.#absent.add(name);
      else this.#absent.delete(name);
    }
    this.#options.onSnapshot(this.#leftOut === undefined ? snapshot : withDown(snapshot, this.#leftOut));
    if (this.#absent.size === this.#options.collectors.length) this.#rest();
  }

  #markHung(reason: SamplerProblem, hung: CollectorName | undefined): void {
    this.#hung = hung;
    if (hung !== undefined) this.#hangs.hung(hung, performance.now());
    this.#markDown(reason);
  }

  #markDown(reason: SamplerProblem): void {
    if (this.#isIdle()) return;
    this.#state = 'down';
    this.#problem = reason;
    const { logger, source } = this.#options;
    logger.warn(reason.message, { kind: reason.kind, source, restarts: this.#restarts });
  }

  /** The source goes on without the collector that hangs. Where nobody knows which that is, the next process would hang too. */
  #markStuck(child: SamplerChild, reason: SamplerProblem): void {
    this.#markDown(reason);
    if (this.#hung === undefined) return;
    this.#stuck.set(child, this.#hung);
    this.#child = undefined;
    this.#restartLater();
  }

  #ended(child: SamplerChild): void {
    if (this.#stuck.delete(child)) {
      this.#takeBack();
    } else {
      this.#child = undefined;
      this.#restartLater();
    }
  }

  /** Runs again what need no longer be left out. */
  #takeBack(): void {
    if (this.#isIdle()) return;
    if (this.#child !== undefined) {
      this.#child.send({ type: 'leaveOut', collectors: this.#chooseLeftOut() });
    } else if (this.#restartTimer === undefined) {
      this.#restarts += 1;
      this.#startChild();
    }
  }

  /** Which collectors are not to be run now; sets the time to ask again. */
  #chooseLeftOut(): readonly CollectorName[] {
    const nowMs = performance.now();
    const stuck = new Set(this.#stuck.values());
    const leftOut = this.#options.collectors.filter(
      (name) => stuck.has(name) || this.#hangs.isLeftOut(name, nowMs),
    );
    this.#leftOut =
      leftOut.length === 0
        ? undefined
        : Object.fromEntries(leftOut.map((name) => [name, this.#whyLeftOut(name, stuck.has(name))]));
    clearTimeout(this.#returnTimer);
    const nextMs = this.#hangs.nextReturnMs(nowMs);
    // One more millisecond, as timers may fire a fraction of one early.
    if (nextMs !== undefined) {
      this.#returnTimer = setTimeout(() => this.#takeBack(), nextMs - nowMs + 1).unref();
    }
    return leftOut;
  }

  #whyLeftOut(name: CollectorName, isStuck: boolean): Problem {
    const why = isStuck
      ? 'hangs in a process that cannot be killed; it is left out until that process ends'
      : `hung ${this.#hangs.hangsOf(name)} times in a row and is left out for a while`;
    return problem('collector-left-out', `The collector ${name} ${why}.`);
  }

  #restartLater(): void {
    if (this.#isIdle()) return;
    const { firstBackoffMs, maxBackoffMs } = this.#limits;
    if (performance.now() - this.#childStartedMs > maxBackoffMs) this.#consecutiveFailures = 0;
    const backoffMs = Math.min(firstBackoffMs * 2 ** this.#consecutiveFailures, maxBackoffMs);
    this.#consecutiveFailures += 1;
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = undefined;
      this.#restarts += 1;
      this.#startChild();
    }, backoffMs).unref();
  }

  #isIdle(): boolean {
    return this.#state === 'stopped' || this.#state === 'paused' || this.#state === 'resting';
  }

  #silenceLimitMs(): number {
    return Math.max(10 * this.#intervalMs, this.#limits.silenceMs);
  }
}

function isAbsent(health: CollectorHealth | undefined): boolean {
  return health?.status === 'failed' && health.problem.kind === 'absent';
}

function withDown(snapshot: Snapshot, leftOut: Partial<Record<CollectorName, Problem>>): Snapshot {
  const health: Partial<Record<CollectorName, CollectorHealth>> = { ...snapshot.health };
  for (const [name, reason] of Object.entries(leftOut) as [CollectorName, Problem][]) {
    health[name] = { status: 'down', problem: reason };
  }
  return { ...snapshot, health };
}
