import type { Logger } from '../core/log.ts';
import { problem } from '../core/problem.ts';
import type { HostRoots, SamplerSource } from './collectors/collector.ts';
import { SamplerChild, type SamplerProblem, type StartProcess } from './sampler-child.ts';
import type { Snapshot } from './snapshot.ts';

export interface SourceSamplerOptions {
  readonly source: SamplerSource;
  readonly entry: URL;
  readonly intervalMs: number;
  readonly roots: HostRoots;
  readonly logger: Logger;
  readonly limits: SamplerLimits;
  readonly startProcess: StartProcess | undefined;
  readonly onSnapshot: (snapshot: Snapshot) => void;
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

export interface SourceHealth {
  /** `up`: snapshots arrive. `starting`: the first is awaited. `down`: they stopped, `problem` says why. */
  readonly state: 'starting' | 'up' | 'down' | 'stopped';
  readonly pid?: number;
  /** Restarts since the sampler was started. */
  readonly restarts: number;
  /** What went wrong last; it stays after a restart that helped. */
  readonly problem?: SamplerProblem;
}

/** Keeps the process of one source running: replaces it when it ends or falls silent, and says so meanwhile. */
export class SourceSampler {
  readonly #options: SourceSamplerOptions;
  readonly #limits: SamplerLimits;
  #intervalMs: number;
  #pids: readonly number[] = [];
  #child: SamplerChild | undefined;
  #childStartedMs = 0;
  #state: SourceHealth['state'] = 'starting';
  #problem: SamplerProblem | undefined;
  #restarts = 0;
  #consecutiveFailures = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: SourceSamplerOptions) {
    this.#options = options;
    this.#limits = options.limits;
    this.#intervalMs = options.intervalMs;
    this.#startChild();
  }

  /** Changes the period, in milliseconds, from now on. */
  setIntervalMs(intervalMs: number): void {
    this.#intervalMs = intervalMs;
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
      ...(pid === undefined || this.#state === 'stopped' ? {} : { pid }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  /** Ends the process. Resolves within twice `killAfterMs` even when it hangs; never rejects. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
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
      source: this.#options.source,
      roots: this.#options.roots,
      intervalMs: this.#intervalMs,
      pids: this.#pids,
    });
  }

  #publish(snapshot: Snapshot): void {
    if (this.#state === 'stopped') return;
    this.#state = 'up';
    this.#options.onSnapshot(snapshot);
  }

  #markDown(reason: SamplerProblem): void {
    if (this.#state === 'stopped') return;
    this.#state = 'down';
    this.#problem = reason;
    const { logger, source } = this.#options;
    logger.warn(reason.message, { kind: reason.kind, source, restarts: this.#restarts });
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
