import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Profile } from '../../config/profile.ts';
import type { WatchSettings } from '../../config/watch-settings.ts';
import { asError } from '../../core/as-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { attempt, attemptAsync, type Problem, ProblemError } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Run } from '../../store/run.ts';
import type { Store } from '../../store/store.ts';
import type { SeriesChange, WatchedSeries } from '../../store/watched.ts';
import type { Webhook } from '../../webhook/webhook.ts';
import type { KeptAnswers } from '../evaluate-task.ts';
import { seriesOf } from '../exported-results.ts';
import type { ModelRegistry } from '../model-registry.ts';
import { acknowledge, rebaseline, type WatchOrder } from './change-watch.ts';
import { type ExplainDeps, explainRegression } from './explain-regression.ts';
import { type ConfirmDeps, orderConfirmations } from './order-confirmations.ts';
import { type AlertSender, regressionAlert } from './regression-alert.ts';
import { showWatched } from './show-series.ts';
import { accuracyMemoryOf } from './watch-memory.ts';
import { type StateDetail, watchResult } from './watch-result.ts';
import { keyOf, type WatchView, watchView } from './watch-view.ts';

export interface ResultWatchDeps {
  readonly store: Pick<
    Store,
    | 'getRun'
    | 'unwatchedRuns'
    | 'watchedSeries'
    | 'watchedPoints'
    | 'watchEvents'
    | 'findSeries'
    | 'keepWatched'
    | 'listRuns'
    | 'findArtifact'
    | 'holdArtifact'
  >;
  /** As they are at the moment. */
  readonly settings: () => WatchSettings;
  readonly order: ConfirmDeps['order'];
  /** Who is told of regressions. */
  readonly webhook?: Pick<Webhook, 'tell'>;
  readonly sender?: () => AlertSender;
  readonly models: Pick<ModelRegistry, 'get' | 'all'>;
  readonly metrics: Pick<Metrics, 'showLatencyWatch' | 'showAccuracyWatch'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Watches what runs find out, from one to the next: what is expected, what changed, and since when. */
export class ResultWatch {
  readonly #deps: ResultWatchDeps;

  constructor(deps: ResultWatchDeps) {
    this.#deps = deps;
  }

  /**
   * Looks at results that ended before anybody watched them, or just before this daemon's predecessor died.
   * @param write waits for the disk where it has to
   */
  async catchUp(write: (take: () => void) => Promise<unknown>): Promise<void> {
    const { store, models } = this.#deps;
    for (const id of store.unwatchedRuns()) {
      const run = store.getRun(id);
      if (run !== undefined) await write(() => this.take(run, run.result));
      // A result may be large; whoever scrapes meanwhile does not wait for all of them.
      await setImmediate();
    }
    for (const profile of models.all) {
      this.#show(profile);
      this.confirm(profile.name);
    }
    this.#tellAgain();
  }

  /** Has measured anew what is suspected of a model; see `orderConfirmations`. */
  confirm(model: string): void {
    const { store, models, settings, order, clock, logger } = this.#deps;
    const profile = models.get(model);
    if (profile === undefined) return;
    orderConfirmations(profile, { store, settings: settings(), order, nowMs: clock.wallMs(), logger });
  }

  /** Tells once more, at the start, what was told before it or should have been: whoever listens knows it by its labels. */
  #tellAgain(): void {
    const { store, models, clock } = this.#deps;
    const soonMs = clock.wallMs() - TOLD_AGAIN_MS;
    for (const { name } of models.all) {
      const ended = new Map<number, number>();
      for (const { series, fromState, toState, atMs } of store.watchEvents(name, MOST_EVENTS))
        if (fromState === 'regressed' && toState !== 'regressed' && atMs > soonMs && !ended.has(series))
          ended.set(series, atMs);
      for (const series of store.watchedSeries(name)) {
        const endsMs = ended.get(series.id);
        const reason = 'it was so when the daemon was started anew';
        if (series.state === 'regressed')
          this.#alert(series, { status: 'firing', startsMs: series.sinceMs, reason });
        else if (endsMs !== undefined)
          this.#alert(series, { status: 'resolved', startsMs: endsMs, endsMs, reason: 'it is over' });
      }
    }
  }

  /** Remembers what a run found out. Throws a `ProblemError`, `store-not-written`, where the disk does not take it. */
  take(run: Run, result: unknown): readonly SeriesChange[] {
    const { store, models, logger } = this.#deps;
    const changes = this.#changes(run, result);
    const before = changes.map(({ key }) => store.findSeries(key));
    store.keepWatched(changes, run.id);
    changes.forEach((change, at) => {
      this.#tell(change);
      this.#alertOf(change, before[at]);
    });
    const profile = models.get(run.model);
    if (profile !== undefined && changes.length > 0) this.#show(profile);
    logger.debug('a result was taken up', { run: run.id, model: run.model, series: changes.length });
    return changes;
  }

  /**
   * Adds to the history which layers moved in variants that have just regressed; see `explainRegression`. What cannot be found out, or
   * written, is left out: the alarm does not depend on it.
   */
  async explain(
    changes: readonly SeriesChange[],
    profile: Profile,
    how: Pick<ExplainDeps, 'host' | 'signal'>,
  ): Promise<void> {
    const { store, clock, logger } = this.#deps;
    for (const change of changes) {
      const deps = { ...how, store, nowMs: () => clock.wallMs() };
      const explained = await attemptAsync(() => explainRegression(change, profile, deps));
      // Somebody may have acknowledged it meanwhile.
      const now = store.findSeries(change.key);
      if (!explained.ok || explained.value === undefined || now === undefined) continue;
      const { events, atMs } = explained.value;
      const { state, memory } = now;
      attempt(() => store.keepWatched([{ key: change.key, state, memory, atMs, events }]));
      logger.info('what moved in a variant that regressed was found', { model: profile.name });
    }
  }

  /** The answers that the variants of a model are held to on this host. */
  baselinesOf(model: string): Readonly<Record<string, KeptAnswers>> {
    const newestFirst = this.#deps.store.watchedSeries(model).toSorted((a, b) => b.updatedMs - a.updatedMs);
    const baselines: Record<string, KeptAnswers> = {};
    for (const series of newestFirst) {
      if (series.kind !== 'accuracy' || series.variant in baselines) continue;
      const { baseline } = accuracyMemoryOf(series).watch;
      if (baseline?.data == null) continue;
      baselines[series.variant] = { outputs: baseline.outputs, data: baseline.data };
    }
    return baselines;
  }

  /** What is known of a model; of all hosts that were its own. */
  view(model: string): WatchView {
    return watchView(this.#deps.store, model);
  }

  /** See `acknowledge`. */
  acknowledge(order: WatchOrder): Result<WatchView, Problem> {
    return this.#change(order.model, (store, nowMs) => acknowledge(order, store, nowMs));
  }

  /** See `rebaseline`. */
  rebaseline(order: Parameters<typeof rebaseline>[0]): Result<WatchView, Problem> {
    return this.#change(order.model, (store, nowMs) => rebaseline(order, store, nowMs));
  }

  #change(
    model: string,
    make: (store: ResultWatchDeps['store'], nowMs: number) => Result<readonly SeriesChange[], Problem>,
  ): Result<WatchView, Problem> {
    const { store, clock } = this.#deps;
    const before = store.watchedSeries(model);
    const changes = make(store, clock.wallMs());
    if (!changes.ok) return changes;
    for (const change of changes.value) {
      this.#tell(change);
      this.#alertOf(
        change,
        before.find((series) => isDeepStrictEqual(keyOf(series), change.key)),
      );
    }
    const profile = this.#deps.models.get(model);
    if (profile !== undefined) this.#show(profile);
    return ok(this.view(model));
  }

  #show(profile: Profile): void {
    showWatched(this.#deps, profile.name, seriesOf(profile));
  }

  /** A bug in looking at a result must not end the queue, nor come again at every start. */
  #changes(run: Run, result: unknown): readonly SeriesChange[] {
    const { store, logger } = this.#deps;
    try {
      return watchResult(run, result, store);
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      logger.error('a result cannot be watched', { run: run.id, stack: asError(error).stack });
      return [];
    }
  }

  #tell({ key, state, events }: SeriesChange): void {
    for (const { kind, run, detail } of events) {
      const { reason, causes } = detail as StateDetail;
      const { host: _, ...where } = key;
      const isBad = kind === 'state' && (state === 'regressed' || state === 'suspected');
      const words = kind === 'baseline' ? `a baseline of ${key.kind} was pinned` : `${key.kind} is ${state}`;
      const fields = { run, ...where, reason, causes: causes.map((cause) => cause.words) };
      if (isBad) this.#deps.logger.warn(words, fields);
      else this.#deps.logger.info(words, fields);
    }
  }

  /** What began to be a regression, or is none any more. */
  #alertOf({ key, state, atMs, events }: SeriesChange, before: WatchedSeries | undefined): void {
    const was = before?.state === 'regressed';
    const is = state === 'regressed';
    if (was === is) return;
    const { reason, causes } = (events[0]?.detail ?? { reason: '', causes: [] }) as StateDetail;
    const said =
      { acknowledged: 'Acknowledged: ', baseline: 'A new baseline: ' }[String(events[0]?.kind)] ?? '';
    const words = [`${said}${reason}`, ...causes.map((cause) => `What differs: ${cause.words}`)].join('. ');
    const endsMs = is ? {} : { endsMs: atMs };
    const startsMs = is ? atMs : (before?.sinceMs ?? atMs);
    this.#alert(key, { status: is ? 'firing' : 'resolved', startsMs, ...endsMs, reason: words });
  }

  #alert(series: Parameters<typeof regressionAlert>[0], of: Parameters<typeof regressionAlert>[1]): void {
    const { webhook, sender } = this.#deps;
    webhook?.tell(regressionAlert(series, of, sender?.() ?? { instance: '', url: '' }));
  }
}

/** A message that its receiver may have missed as this daemon ended. */
const TOLD_AGAIN_MS = 24 * 3600_000;
const MOST_EVENTS = 1000;
