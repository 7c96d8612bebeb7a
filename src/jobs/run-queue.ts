import { setTimeout as delay } from 'node:timers/promises';
import type { Profile } from '../config/profile.ts';
import { asError } from '../core/as-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { attempt, type Problem, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import type { Run } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { PipelineResult } from './pipeline.ts';
import { QueuePulse } from './queue-pulse.ts';
import { WakeTimer } from './wake-timer.ts';
import type { JobProgress } from './worker-protocol.ts';
import { isWorthAnotherAttempt } from './worth-another-attempt.ts';
import { writeWhenPossible } from './write-when-possible.ts';

/** The run under way. */
export interface CurrentRun {
  readonly id: string;
  readonly abort: AbortController;
  progress?: JobProgress;
  /** What it waits for before it can go on, such as a benchmark of another process. */
  waitingFor?: string;
  /** Somebody wants it to end. */
  cancelling?: true;
  /** Its deadline has come. */
  isOverdue?: true;
}

export interface RunQueueDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long to wait for a disk that does not take what is written; 5 s unless given. */
  readonly storeRetryMs?: number;
  /** How long to wait before a run whose worker died is begun anew; 10 s unless given. */
  readonly retryAfterMs?: number;
  /** Told when the queue cannot go on, as when the store is damaged. */
  readonly onFault?: (error: Error) => void;
  /** The model of a run; undefined where it is not registered any more. */
  readonly profileOf: (model: string) => Profile | undefined;
  /** What is stored as the order of a run that begins; undefined where that is what was ordered. */
  readonly requestOf: (run: Run, profile: Profile) => Promise<unknown>;
  readonly carryOut: (
    run: Run,
    profile: Profile,
    current: CurrentRun,
  ) => Promise<Result<PipelineResult, Problem>>;
  /** Waited for before the next run is looked for: it can hold the queue up until the signal says that the daemon stops. */
  readonly beforeRun?: (signal: AbortSignal) => Promise<void>;
  /** Waited for after every run, whatever came of it. */
  readonly afterRun?: () => Promise<void>;
  /** Told of a run that has succeeded, when its result is safe. */
  readonly onResult: (run: Run, profile: Profile, result: PipelineResult) => Promise<void>;
  readonly onFailure: (problem: Problem) => void;
  /** Told of every run whose state changed. */
  readonly onChange: (id: string) => void;
}

const STORE_RETRY_MS = 5000;
const RETRY_AFTER_MS = 10_000;
const MOST_ATTEMPTS = 2;

/** Works off the runs that wait in a store, one at a time, until it is stopped. */
export class RunQueue {
  readonly #deps: RunQueueDeps;
  /** Begins no run any more. */
  readonly #taking = new AbortController();
  /** Ends what is under way, and waits for no disk any more. */
  readonly #stopping = new AbortController();
  readonly #timer: WakeTimer;
  readonly #pulse: QueuePulse;
  #current: CurrentRun | undefined;
  #loop: Promise<void> | undefined;
  /** Orders that come before are taken and wait. */
  #started = false;

  constructor(deps: RunQueueDeps) {
    this.#deps = deps;
    this.#pulse = new QueuePulse(deps.clock);
    this.#timer = new WakeTimer(deps.clock, () => this.#onTime());
  }

  /** Whether there is something to do and nothing is done, for so long that only a fault in this program can be the reason. */
  isStuck(): boolean {
    if (!this.#started || this.#taking.signal.aborted || this.#current !== undefined) return false;
    const hasWork = this.#loop !== undefined || this.#deps.store.nextQueued() !== undefined;
    if (!hasWork) this.#pulse.beat();
    return this.#pulse.isStill();
  }

  get current(): CurrentRun | undefined {
    return this.#current;
  }

  /** Begins to work, once `first` is done. */
  start(first: () => Promise<unknown>): void {
    this.#started = true;
    this.#work(first);
  }

  /** To be called when something was ordered. */
  wake(): void {
    this.#planWake();
    this.#work();
  }

  /**
   * Begins no other run, and waits until the one under way has ended: by itself within the time that is given, or because it is
   * ended then, without a word on what becomes of it. Its processes are gone when this resolves.
   * @param meanwhile waited for before a run is ended
   */
  async stop(graceMs: number, meanwhile: Promise<void>): Promise<void> {
    this.#timer.stop();
    this.#taking.abort();
    if (this.#current !== undefined && graceMs > 0) {
      const patience = new AbortController();
      const { signal } = patience;
      await Promise.race([this.#loop, delay(graceMs, undefined, { signal }).catch(() => {})]);
      patience.abort();
    }
    this.#stopping.abort();
    await meanwhile;
    this.#current?.abort.abort();
    await this.#loop;
  }

  /** A disk that is full for a while costs neither a result nor the daemon. Undefined where the daemon stops before. */
  write<T>(write: () => T): Promise<T | undefined> {
    const { logger, storeRetryMs: retryMs = STORE_RETRY_MS } = this.#deps;
    const beating = () => {
      this.#pulse.beat();
      return write();
    };
    return writeWhenPossible(beating, { logger, retryMs, signal: this.#stopping.signal });
  }

  /** Fires when what is under way has to end. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  #work(first: () => Promise<unknown> = async () => {}): void {
    if (!this.#started) return;
    this.#loop ??= first()
      .then(() => this.#drain())
      .then(() => {
        this.#loop = undefined;
        // An order may have come between the last look at the queue and here.
        if (!this.#taking.signal.aborted && this.#deps.store.nextQueued() !== undefined) this.#work();
      })
      .catch((error: unknown) => {
        this.#loop = undefined;
        const thrown = asError(error);
        this.#deps.logger.error('the queue cannot go on', { stack: thrown.stack });
        this.#deps.onFault?.(thrown);
      });
  }

  async #drain(): Promise<void> {
    // Lets the caller finish first, so that a request is answered as queued.
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#taking.signal.aborted) {
      await this.#pulse.during(this.#deps.beforeRun?.(this.#taking.signal));
      if (this.#taking.signal.aborted) return;
      this.#expireOverdue();
      const next = this.#deps.store.nextQueued();
      this.#planWake();
      if (next === undefined) return;
      await this.#execute(next);
      await this.#deps.afterRun?.();
    }
  }

  async #execute(run: Run): Promise<void> {
    const { store, logger, onResult, onFailure, onChange } = this.#deps;
    const profile = this.#deps.profileOf(run.model);
    if (profile === undefined) {
      const gone = problem('unknown-model', `no model '${run.model}' is registered any more`);
      await this.write(() => store.failRun(run.id, gone));
      return onChange(run.id);
    }
    const current: CurrentRun = { id: run.id, abort: new AbortController() };
    this.#current = current;
    const request = await this.#deps.requestOf(run, profile);
    const started = await this.write(() => store.startRun(run.id, request));
    // Its deadline may have come meanwhile, or the daemon stops while the disk is waited for.
    if (started === undefined || !started.ok) {
      this.#current = undefined;
      return;
    }
    onChange(run.id);
    logger.info('run started', { run: run.id, kind: run.kind, model: run.model, attempt: run.attempt });
    const outcome = await this.#untilDeadline(started.value, profile, current);
    this.#current = undefined;
    this.#pulse.beat();
    if (outcome.ok) {
      await this.write(() => store.finishRun(run.id, outcome.value));
      logger.info('run succeeded', { run: run.id, model: run.model, seconds: outcome.value.seconds });
      await onResult(run, profile, outcome.value);
    } else if (current.cancelling) {
      await this.write(() => store.cancelRun(run.id));
      logger.info('run cancelled', { run: run.id, model: run.model });
    } else if (current.isOverdue) {
      await this.write(() => store.expireRun(run.id));
      logger.warn('the deadline of a run came before its end', { run: run.id, model: run.model });
    } else if (!this.#stopping.signal.aborted) {
      await this.#failOrRetry(run, outcome.error, onFailure);
    }
    onChange(run.id);
  }

  async #failOrRetry(run: Run, error: Problem, onFailure: RunQueueDeps['onFailure']): Promise<void> {
    const { store, logger, clock, retryAfterMs = RETRY_AFTER_MS } = this.#deps;
    if (run.attempt < MOST_ATTEMPTS && isWorthAnotherAttempt(error)) {
      await this.write(() => store.retryRun(run.id, error, clock.wallMs() + retryAfterMs));
      logger.warn('a run is begun anew', { run: run.id, model: run.model, retryAfterMs, ...error });
      return;
    }
    await this.write(() => store.failRun(run.id, error));
    onFailure(error);
    logger.error('run failed', { run: run.id, model: run.model, ...error });
  }

  async #untilDeadline(run: Run, profile: Profile, current: CurrentRun) {
    const { deadlineMs } = run;
    const timer = new WakeTimer(this.#deps.clock, () => {
      if (deadlineMs === undefined || this.#deps.clock.wallMs() < deadlineMs) return timer.wakeAt(deadlineMs);
      current.isOverdue = true;
      current.abort.abort();
    });
    timer.wakeAt(deadlineMs);
    try {
      return await this.#deps.carryOut(run, profile, current);
    } finally {
      timer.stop();
    }
  }

  #planWake(): void {
    if (this.#started && !this.#taking.signal.aborted)
      this.#timer.wakeAt(this.#deps.store.nextQueueEventMs());
  }

  /** A deadline has come, or a wait is over. */
  #onTime(): void {
    this.#expireOverdue();
    this.wake();
  }

  #expireOverdue(): void {
    const { store, logger, onChange } = this.#deps;
    for (const { id, model } of store.overdueRuns()) {
      const expired = attempt(() => store.expireRun(id));
      // It is tried again when the timer comes again.
      if (!expired.ok) {
        logger.error(expired.error.message, { ...expired.error });
        return;
      }
      logger.warn('the deadline of an order came before its turn', { run: id, model });
      onChange(id);
    }
  }
}
