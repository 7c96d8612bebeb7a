import { setTimeout as delay } from 'node:timers/promises';
import type { Profile } from '../../config/profile.ts';
import type { StorageSettings } from '../../config/storage-settings.ts';
import { asError } from '../../core/as-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Problem } from '../../core/problem.ts';
import type { StorageMetrics } from '../../metrics/storage-metrics.ts';
import { ClockWatch } from './clock-watch.ts';
import {
  type CollectableStore,
  type CollectionReport,
  collectGarbage,
  minFreeBytesOf,
} from './collect-garbage.ts';
import { shortageOf } from './shortage.ts';

export interface StorageKeeperDeps {
  readonly store: CollectableStore;
  /** The models whose variants are in use, as they are registered now. */
  readonly profiles: () => readonly Pick<Profile, 'name'>[];
  readonly settings: () => StorageSettings;
  readonly metrics: StorageMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often the data directory is looked at while nothing runs; an hour unless given. */
  readonly everyMs?: number;
  /** How often while there is no room; half a minute unless given. */
  readonly retryMs?: number;
}

const EVERY_MS = 3600_000;
const RETRY_MS = 30_000;

/** Keeps the data directory of a daemon within its limits: after every run, and from time to time. */
export class StorageKeeper {
  readonly #deps: StorageKeeperDeps;
  readonly #clockWatch: ClockWatch;
  #timer: NodeJS.Timeout | undefined;
  #collecting: Promise<CollectionReport | undefined> = Promise.resolve(undefined);
  #shortage: Problem | undefined;
  #stopped = false;

  constructor(deps: StorageKeeperDeps) {
    this.#deps = deps;
    this.#clockWatch = new ClockWatch(deps.clock);
  }

  /** Why there is no room for a run, as of the last look. */
  get shortage(): Problem | undefined {
    return this.#shortage;
  }

  /** Removes what earlier processes left, and goes on until `stop`. */
  async start(): Promise<void> {
    await this.collect();
    this.#planNext();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#collecting;
  }

  /** Waits until a collection is done, and for as long as there is no room for a run, or until the signal comes. */
  async untilRoom(signal: AbortSignal): Promise<void> {
    const { logger, retryMs = RETRY_MS } = this.#deps;
    await this.#collecting;
    if (!(await this.#isShort())) return;
    while (!signal.aborted) {
      await this.collect();
      if (this.#shortage === undefined) {
        logger.info('there is room again, and runs go on');
        return;
      }
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Removes what is beyond the limits. One collection at a time; it never fails, its log says what could not be removed. */
  collect(): Promise<CollectionReport | undefined> {
    this.#collecting = this.#collecting.then(() => this.#collectNow());
    return this.#collecting;
  }

  async #collectNow(): Promise<CollectionReport | undefined> {
    const { store, profiles, settings, metrics, clock, logger } = this.#deps;
    if (this.#stopped) return undefined;
    if (this.#clockWatch.jumpSeconds() !== undefined) {
      logger.warn('the clock was set; nothing is removed for its age until a day has passed', {
        seconds: this.#clockWatch.lastJumpSeconds,
      });
    }
    try {
      const nowMs = this.#clockWatch.isTrusted() ? clock.wallMs() : undefined;
      const report = await collectGarbage(store, { profiles: profiles(), settings: settings(), nowMs });
      const { removed, failures, after } = report;
      for (const { kind, reason, sizeBytes } of removed) metrics.countRemoved(kind, reason, sizeBytes);
      metrics.countRemovalFailures(failures.length);
      if (removed.length > 0) {
        const bytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        logger.info('removed what was not used any more', { count: removed.length, bytes });
      }
      for (const reason of failures.slice(0, MOST_TOLD))
        logger.warn(`something cannot be removed: ${reason}`);
      this.#judge(report);
      metrics.setStorage({
        bytes: after,
        quotaBytes: report.quotaBytes,
        freeBytes: report.freeBytes,
        minFreeBytes: report.minFreeBytes,
        isShort: this.#shortage !== undefined,
      });
      return report;
    } catch (error) {
      logger.error(`the data directory cannot be looked at: ${asError(error).message}`);
      return undefined;
    }
  }

  /** The quota is looked at after every run; what others do to the disk, now. */
  async #isShort(): Promise<boolean> {
    const { store, settings } = this.#deps;
    if (this.#shortage !== undefined) return true;
    const space = await store.diskSpace().catch(() => undefined);
    return space !== undefined && space.freeBytes < (settings().minFreeBytes ?? minFreeBytesOf(space));
  }

  #judge(report: CollectionReport): void {
    const shortage = shortageOf(report);
    if (shortage !== undefined && shortage.kind !== this.#shortage?.kind)
      this.#deps.logger.error(`no run begins: ${shortage.message}`, { ...shortage });
    this.#shortage = shortage;
  }

  #planNext(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      void this.collect().then(() => this.#planNext());
    }, this.#deps.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }
}

const MOST_TOLD = 5;
