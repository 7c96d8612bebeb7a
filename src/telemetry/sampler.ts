import { type Logger, silentLogger } from '../core/log.ts';
import { problem } from '../core/problem.ts';
import { type HostRoots, SYSTEM_ROOTS } from './collectors/collector.ts';
import { SamplerChild, type SamplerProblem, type StartProcess } from './sampler-child.ts';
import type { Snapshot } from './snapshot.ts';

export interface SamplerOptions {
  /** The compiled `sampler-main.js`. */
  readonly entry: URL;
  readonly intervalMs: number;
  readonly roots?: HostRoots;
  readonly logger?: Logger;
  readonly limits?: Partial<SamplerLimits>;
  readonly startProcess?: StartProcess;
}

export interface SamplerLimits {
  /** Without a snapshot for this long, or for ten periods if that is longer, the child counts as hung. */
  readonly silenceMs: number;
  /** From SIGTERM to SIGKILL, and from there to giving up. */
  readonly killAfterMs: number;
  /** Pause before the first restart; it doubles with every further one. */
  readonly firstBackoffMs: number;
  /** Longest pause. A child that lived for longer than this sets the pause back to the first. */
  readonly maxBackoffMs: number;
}

export interface SamplerHealth {
  /** `up`: snapshots arrive. `starting`: the first is awaited. `down`: they stopped, `problem` says why. */
  readonly state: 'starting' | 'up' | 'down' | 'stopped';
  readonly pid?: number;
  /** Restarts since `startSampler`. */
  readonly restarts: number;
  /** What went wrong last; it stays after a restart that helped. */
  readonly problem?: SamplerProblem;
}

const DEFAULT_LIMITS: SamplerLimits = {
  silenceMs: 5_000,
  killAfterMs: 2_000,
  firstBackoffMs: 500,
  maxBackoffMs: 30_000,
};

/** Starts sampling the host in a process of its own. Returns at once; the first snapshot follows in some 50 ms. */
export function startSampler(options: SamplerOptions): Sampler {
  return new Sampler(options);
}

/**
 * Keeps one sampler process running: replaces it when it ends or falls silent, and says so meanwhile. A reading may hang
 * in a driver for ever, so only that process ever reads; nothing here waits, and nothing here keeps the daemon alive.
 */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #limits: SamplerLimits;
  readonly #logger: Logger;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  #intervalMs: number;
  #pids: readonly number[] = [];
  #child: SamplerChild | undefined;
  #childStartedMs = 0;
  #state: SamplerHealth['state'] = 'starting';
  #latest: Snapshot | undefined;
  #problem: SamplerProblem | undefined;
  #restarts = 0;
  #consecutiveFailures = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#logger = options.logger ?? silentLogger;
    this.#intervalMs = checkIntervalMs(options.intervalMs);
    this.#startChild();
  }

  /** The newest snapshot; undefined while the sampler is not up, as an old one would pass for the present. */
  latest(): Snapshot | undefined {
    return this.#latest;
  }

  /** Calls `listener` with every snapshot. Returns the function that ends it. */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes the period, in milliseconds, from now on. */
  setIntervalMs(intervalMs: number): void {
    this.#intervalMs = checkIntervalMs(intervalMs);
    this.#child?.setSilenceLimitMs(this.#silenceLimitMs());
    this.#child?.send({ type: 'setIntervalMs', intervalMs });
  }

  /** Watches these processes from now on, instead of those named before. */
  watch(pids: readonly number[]): void {
    this.#pids = [...pids];
    this.#child?.send({ type: 'watchPids', pids: this.#pids });
  }

  health(): SamplerHealth {
    const pid = this.#child?.pid;
    return {
      state: this.#state,
      restarts: this.#restarts,
      ...(pid === undefined || this.#state === 'stopped' ? {} : { pid }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  /** Ends the process. Resolves within twice `killAfterMs` even when it hangs; never rejects. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#latest = undefined;
    clearTimeout(this.#restartTimer);
    await this.#child?.stop();
  }

  #startChild(): void {
    this.#childStartedMs = performance.now();
    try {
      this.#child = new SamplerChild(
        this.#options.entry,
        { silenceLimitMs: this.#silenceLimitMs(), killAfterMs: this.#limits.killAfterMs },
        {
          snapshot: (snapshot) => this.#publish(snapshot),
          down: (reason) => this.#markDown(reason),
          ended: () => this.#restartLater(),
        },
        this.#options.startProcess,
      );
    } catch (error) {
      // Some failures of `fork` are thrown, lack of memory among them; that too may pass.
      this.#markDown(problem('sampler-not-started', `The sampler cannot be started: ${String(error)}`));
      this.#restartLater();
      return;
    }
    this.#child.send({
      type: 'start',
      roots: this.#options.roots ?? SYSTEM_ROOTS,
      intervalMs: this.#intervalMs,
      pids: this.#pids,
    });
  }

  #publish(snapshot: Snapshot): void {
    if (this.#state === 'stopped') return;
    this.#state = 'up';
    this.#latest = snapshot;
    for (const listener of this.#listeners) listener(snapshot);
  }

  #markDown(reason: SamplerProblem): void {
    if (this.#state === 'stopped') return;
    this.#state = 'down';
    this.#latest = undefined;
    this.#problem = reason;
    this.#logger.warn(reason.message, { kind: reason.kind, restarts: this.#restarts });
  }

  #restartLater(): void {
    if (this.#state === 'stopped') return;
    const { firstBackoffMs, maxBackoffMs } = this.#limits;
    if (performance.now() - this.#childStartedMs > maxBackoffMs) this.#consecutiveFailures = 0;
    const backoffMs = Math.min(firstBackoffMs * 2 ** this.#consecutiveFailures, maxBackoffMs);
    this.#consecutiveFailures += 1;
    this.#restartTimer = setTimeout(() => {
      this.#restarts += 1;
      this.#startChild();
    }, backoffMs).unref();
  }

  #silenceLimitMs(): number {
    return Math.max(10 * this.#intervalMs, this.#limits.silenceMs);
  }
}

function checkIntervalMs(intervalMs: number): number {
  if (intervalMs >= 1 && intervalMs <= 3_600_000) return intervalMs;
  throw new RangeError(`expected a sampling interval from 1 ms to 1 h but found ${intervalMs} ms`);
}
