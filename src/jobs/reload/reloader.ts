import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { formatProblem, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { ReloadMetrics } from '../../metrics/reload-metrics.ts';
import type { ModelChanges } from '../model-registry.ts';

/** Why the configuration was read: `start` is the daemon's own, `files` that they changed, `retry` that they could not be used before. */
export type ReloadTrigger = 'start' | 'signal' | 'request' | 'files' | 'retry';

/** What came of taking a configuration up. */
export interface TakenUp {
  readonly models: ModelChanges;
  /** Settings that have another value now. */
  readonly settings: readonly string[];
  /** Settings whose new value is not used before the daemon is started anew. */
  readonly restartNeeded: readonly string[];
}

/** How the last attempt ended. */
export interface ReloadStatus {
  readonly successful: boolean;
  readonly trigger: ReloadTrigger;
  /** Milliseconds since the Unix epoch, as the other time. */
  readonly attemptedMs: number;
  /** When the configuration that is in use was taken up. */
  readonly succeededMs?: number;
  /** Why it was not taken up; each names file, line and field where it can. */
  readonly problems: readonly Problem[];
  /** What the last one that succeeded changed. */
  readonly changes: TakenUp;
}

export interface ReloaderDeps<C> {
  /** Reads all of the configuration. */
  readonly load: () => Promise<Result<C, readonly Problem[]>>;
  /** Goes by it from now on. Cannot fail: whatever can be refused is refused by `load`. */
  readonly takeUp: (config: C) => Promise<TakenUp>;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly logger: Logger;
  readonly metrics: ReloadMetrics;
}

const NOTHING: TakenUp = {
  models: { added: [], removed: [], changed: [] },
  settings: [],
  restartNeeded: [],
};

/**
 * Takes up the configuration while the daemon runs, all of it or nothing: where one file is bad, everything stays as it was.
 * One attempt after another, in the order in which they were asked for.
 */
export class Reloader<C> {
  readonly #deps: ReloaderDeps<C>;
  #status: ReloadStatus;
  #last: Promise<unknown> = Promise.resolve();
  #told: string;

  /** @param problems what the daemon met when it read the configuration to start; it started without what they are of */
  constructor(deps: ReloaderDeps<C>, problems: readonly Problem[]) {
    this.#deps = deps;
    const attemptedMs = deps.clock.wallMs();
    this.#told = textOf(problems);
    this.#status = {
      successful: problems.length === 0,
      trigger: 'start',
      attemptedMs,
      ...(problems.length === 0 ? { succeededMs: attemptedMs } : {}),
      problems,
      changes: NOTHING,
    };
    this.#record();
  }

  get status(): ReloadStatus {
    return this.#status;
  }

  /** Reads the configuration and takes it up if all of it is good. Resolves to how that ended; rejects for a bug. */
  reload(trigger: ReloadTrigger): Promise<ReloadStatus> {
    const attempt = this.#last.then(() => this.#attempt(trigger));
    this.#last = attempt.catch(() => {});
    return attempt;
  }

  async #attempt(trigger: ReloadTrigger): Promise<ReloadStatus> {
    const { load, takeUp, clock, logger } = this.#deps;
    const loaded = await load();
    const attemptedMs = clock.wallMs();
    if (loaded.ok) {
      const changes = await takeUp(loaded.value);
      this.#status = {
        successful: true,
        trigger,
        attemptedMs,
        succeededMs: attemptedMs,
        problems: [],
        changes,
      };
      logger.info('configuration taken up', { trigger, ...changes });
      if (changes.restartNeeded.length > 0)
        logger.warn('some settings are read at the start only: restart the daemon for them', {
          settings: changes.restartNeeded,
        });
      this.#told = '';
    } else {
      this.#status = { ...this.#status, successful: false, trigger, attemptedMs, problems: loaded.error };
      this.#tell(trigger, loaded.error);
    }
    this.#record();
    return this.#status;
  }

  /** Whoever asked is told; what is tried again by itself is told once. */
  #tell(trigger: ReloadTrigger, problems: readonly Problem[]): void {
    const { logger } = this.#deps;
    const text = textOf(problems);
    if (trigger === 'retry' && text === this.#told) return;
    this.#told = text;
    logger.error('the configuration was not taken up; everything stays as it was', {
      trigger,
      problems: problems.length,
    });
    for (const found of problems) logger.error(formatProblem(found), { kind: found.kind, ...found.place });
  }

  #record(): void {
    const { successful, succeededMs, changes } = this.#status;
    this.#deps.metrics.recordReload({
      successful,
      lastSuccessWallMs: succeededMs,
      restartNeeded: changes.restartNeeded.length,
    });
  }
}

function textOf(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}
