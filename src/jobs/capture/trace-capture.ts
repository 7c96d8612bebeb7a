import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../core/log.ts';
import { attemptAsync, type Problem, ProblemError, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { CaptureOutcome } from '../../metrics/job-metrics.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Store } from '../../store/store.ts';
import type { TracePart } from '../../trace/trace-part.ts';
import { makeTraceSpool, removeTraceSpool } from '../trace-spool.ts';
import { unwrap } from '../unwrap.ts';
import type { AssembleTrace } from './assemble-trace.ts';
import { type CaptureOrder, type ReadyCapture, readyCapture } from './capture-order.ts';
import type { CaptureReplay } from './capture-replay.ts';
import { startCaptureTimeline } from './capture-timeline.ts';
import type { LiveWork } from './live-work.ts';
import { monitorWork, type WorkSeen } from './monitor-work.ts';
import { type IdleHostDeps, replayOnIdleHost } from './replay-on-idle-host.ts';
import { traceSystems } from './traced-systems.ts';

export interface CaptureDeps extends IdleHostDeps {
  readonly store: IdleHostDeps['store'] & Pick<Store, 'temporaryFolder'>;
  readonly samplerIdleIntervalMs: () => number;
  readonly metrics: IdleHostDeps['metrics'] & Pick<Metrics, 'countCapture'>;
  readonly logger: Logger;
  readonly assemble: AssembleTrace;
}

/** A trace that is on the disk until it is released. */
export interface CapturedTrace {
  /** An XSpace. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Nothing happened that a trace could show. */
  readonly isEmpty: boolean;
  /** To be called once the file is no longer needed; only then can the next capture begin. */
  release(): Promise<void>;
}

/**
 * Captures what the daemon runs, one capture at a time: it opens traced sessions beside those that are measured, so each changes
 * what it looks at, and the benchmark in flight says so.
 */
export class TraceCapture {
  readonly #deps: CaptureDeps;
  readonly #stopping = new AbortController();
  #current: { readonly sessionId: string; readonly end: AbortController } | undefined;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(deps: CaptureDeps) {
    this.#deps = deps;
  }

  /**
   * Captures for the asked time, or until `terminate`. Whatever ends it otherwise, nothing is left of it.
   * Problems: `capture-out-of-range`, `capture-under-way`, `cancelled`, `daemon-stopping`, those of the disk and of assembling.
   */
  async capture(order: CaptureOrder, signal: AbortSignal): Promise<Result<CapturedTrace, Problem>> {
    const ready = readyCapture(order, this.#deps.clock.wallMs());
    const refused = ready.ok ? this.#refusal() : ready.error;
    if (!ready.ok || refused !== undefined) {
      this.#deps.metrics.countCapture('refused');
      return err(refused as Problem);
    }
    const current = { sessionId: ready.value.sessionId, end: new AbortController() };
    this.#current = current;
    const cancelled = AbortSignal.any([signal, this.#stopping.signal]);
    const captured = this.#captureAlone(ready.value, current.end.signal, cancelled);
    this.#underWay = captured.catch(() => {});
    try {
      const result = await captured;
      this.#deps.metrics.countCapture(outcomeOf(result));
      if (!result.ok) this.#current = undefined;
      return result;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  /** Ends a capture before its time; what it has is its result. Problems: `unknown-capture`. */
  terminate(sessionId: string): Result<void, Problem> {
    if (this.#current?.sessionId !== sessionId)
      return err(problem('unknown-capture', 'no capture with this session_id is under way'));
    this.#current.end.abort();
    return ok(undefined);
  }

  /** What is seen of the work in so long, without touching it; captures and others may look at the same time. */
  monitor(durationMs: number, signal: AbortSignal): Promise<Result<WorkSeen, Problem>> {
    return monitorWork(durationMs, this.#deps, AbortSignal.any([signal, this.#stopping.signal]));
  }

  /** Ends the capture under way and resolves when nothing is left of it. None can begin any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#underWay;
  }

  #refusal(): Problem | undefined {
    if (this.#stopping.signal.aborted) return problem('daemon-stopping', 'the daemon is stopping');
    if (this.#current === undefined) return undefined;
    return problem('capture-under-way', 'another capture is under way, and there is one at a time', {
      hint: 'try again when it is over',
    });
  }

  async #captureAlone(
    { durationMs, delayMs }: ReadyCapture,
    ended: AbortSignal,
    cancelled: AbortSignal,
  ): Promise<Result<CapturedTrace, Problem>> {
    const { logger, store } = this.#deps;
    await waited(delayMs, AbortSignal.any([ended, cancelled]));
    if (cancelled.aborted) return err(cancelledProblem());
    const spool = await makeTraceSpool(capturesFolderOf(store));
    if (!spool.ok) return spool;
    const folder = spool.value;
    const release = async () => {
      this.#current = undefined;
      await removeTraceSpool(folder);
    };
    logger.info('a capture begins', { seconds: durationMs / 1000 });
    try {
      const result = await attemptAsync(() => this.#captureInto(folder, durationMs, ended, cancelled));
      if (!result.ok) {
        if (cancelled.aborted) logger.info('a capture was cancelled');
        else logger.warn('a capture failed', { ...result.error });
        await release();
        return result;
      }
      const { sizeBytes, eventCount } = result.value;
      logger.info('a capture ended', { events: eventCount, sizeBytes });
      return ok({ file: result.value.file, sizeBytes, isEmpty: eventCount === 0, release });
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Throws `ProblemError`. */
  async #captureInto(folder: string, durationMs: number, ended: AbortSignal, cancelled: AbortSignal) {
    const { live, clock, sampler, samplerIdleIntervalMs: idleIntervalMs, assemble, workerEntry } = this.#deps;
    const warnings: string[] = [];
    const timeline = await startCaptureTimeline(folder, { sampler, live, clock, idleIntervalMs });
    const endCapture = live.beginCapture(clock.nowNs);
    const over = AbortSignal.any([ended, cancelled]);
    let replay: CaptureReplay | undefined;
    let startNs = clock.nowNs();
    let endNs = startNs;
    let parts: readonly TracePart[] = [];
    try {
      if (live.run === undefined) {
        const prepared = await replayOnIdleHost(this.#deps, cancelled);
        replay = prepared.replay;
        warnings.push(prepared.warning);
      }
      const systems = traceSystems(live, { folder });
      try {
        await orUntil(over, systems.begun);
        startNs = clock.nowNs();
        if (replay === undefined) await waited(durationMs, over);
        else {
          const run = await replay.run(durationMs, over);
          if (!run.ok) warnings.push(`The replay failed: ${run.error.message}`);
        }
        endNs = clock.nowNs();
      } finally {
        const result = await systems.end();
        parts = result.parts;
        warnings.push(...result.warnings);
      }
    } finally {
      await replay?.close();
      endCapture();
      warnings.push(...(await timeline.close()));
    }
    if (cancelled.aborted) throw new ProblemError(cancelledProblem());
    if (parts.length === 0 && live.run !== undefined) warnings.push(withoutOperators(live));
    const window = { fromNs: startNs, toNs: endNs };
    return unwrap(
      await assemble(
        { folder, parts, timeline: timeline.file, window, warnings },
        { entry: workerEntry },
        cancelled,
      ),
    );
  }
}

/** Where captures leave what systems under test write for them. */
export function capturesFolderOf({ temporaryFolder }: Pick<Store, 'temporaryFolder'>): string {
  return join(temporaryFolder, 'captures');
}

/** Waits so long, or until it is over before. */
async function waited(milliseconds: number, over: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal: over }).catch(() => {});
}

/** Waits for what is under way, or until it is over before. */
async function orUntil(over: AbortSignal, underWay: Promise<void>): Promise<void> {
  if (over.aborted) return;
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
    over.addEventListener('abort', leave, { once: true });
  });
  await Promise.race([underWay, left]);
  over.removeEventListener('abort', leave);
}

function withoutOperators(live: LiveWork): string {
  const phases = live.phases.map(({ phase }) => phase).join(', ');
  const during = phases === '' ? '' : ` (${phases})`;
  return `Operators are missing: what ran${during} was no benchmark, and only those can be traced while they run`;
}

function cancelledProblem(): Problem {
  return problem('cancelled', 'the capture was cancelled');
}

function outcomeOf(result: Result<CapturedTrace, Problem>): CaptureOutcome {
  if (result.ok) return result.value.isEmpty ? 'empty' : 'succeeded';
  return result.error.kind === 'cancelled' ? 'cancelled' : 'failed';
}
