import type { Profile } from '../config/profile.ts';
import { asError } from '../core/as-error.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Run, RunQuery } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';
import type { AgentDeps } from './agent-deps.ts';
import { cancelRun } from './cancel-run.ts';
import { exportResult, restoreMetrics } from './exported-results.ts';
import { queueFullRun, requestWithBasis } from './full-run-order.ts';
import { HostReports } from './host-reports.ts';
import { type ModelHistory, modelHistory } from './model-history.ts';
import type { ModelChanges } from './model-registry.ts';
import { type ModelView, modelView } from './model-view.ts';
import type { PipelineResult } from './pipeline.ts';
import { Prober } from './probe/prober.ts';
import { pruneRunTraces } from './prune-run-traces.ts';
import { lastFullRuns } from './reason-to-run.ts';
import { orderLines } from './recorded-arrivals.ts';
import { failOrphans, showModels } from './reload/take-up-models.ts';
import { removeRun } from './remove-run.ts';
import { failureReason } from './result-metrics.ts';
import type { RunBasis, RunReason } from './run-basis.ts';
import { RunFeed, type RunNews } from './run-feed.ts';
import { runOrder } from './run-order.ts';
import { RunOutlook } from './run-outlook.ts';
import { type CurrentRun, RunQueue } from './run-queue.ts';
import { RunRecords } from './run-records.ts';
import { type RunView, runView } from './run-view.ts';
import { Scheduler } from './scheduler.ts';
import { StorageKeeper } from './storage/storage-keeper.ts';
import { type IncomingOrder, takeOrder } from './take-order.ts';
import { ResultWatch } from './watching/result-watch.ts';

/**
 * The daemon's work, from start to stop: one run at a time, because two would disturb each other's figures. Runs are
 * rows of the store, so a queue outlives a restart; what ran when the daemon died is marked interrupted.
 */
export class Agent {
  readonly #deps: AgentDeps;
  /** What runs left in files. */
  readonly records: RunRecords;
  /** What is to be expected of runs. */
  readonly outlook: RunOutlook;
  readonly prober: Prober;
  readonly host: HostReports;
  readonly watch: ResultWatch;
  readonly #feed: RunFeed;
  readonly #scheduler: Scheduler;
  readonly #queue: RunQueue;
  #isStopping = false;
  readonly #storage: StorageKeeper;
  #stopObserving: (() => void) | undefined;

  constructor(deps: AgentDeps) {
    this.#deps = deps;
    this.#feed = new RunFeed(deps.clock);
    this.#scheduler = new Scheduler({
      ...deps,
      lastRuns: (model) => lastFullRuns(deps.store, model),
      order: (model, reasons, basis) => this.#orderFull(model, reasons, basis),
      random: Math.random,
    });
    this.outlook = new RunOutlook(deps);
    this.prober = new Prober({ ...deps, isBusy: () => this.#queue.current !== undefined });
    this.host = new HostReports({ ...deps, isBusy: () => this.#queue.current !== undefined });
    this.watch = new ResultWatch({
      ...deps,
      settings: deps.watch,
      order: (incoming) => this.order(incoming),
    });
    this.records = new RunRecords(deps.store, deps.workerEntry);
    this.#storage = new StorageKeeper({
      ...deps,
      profiles: () => deps.models.all,
      settings: deps.storage,
    });
    this.#queue = new RunQueue({
      ...deps,
      beforeRun: (signal) => this.#storage.untilRoom(signal),
      afterRun: async () => void (await this.#storage.collect()),
      profileOf: (model) => deps.models.get(model),
      requestOf: (run, profile) => requestWithBasis(run, profile, (of) => this.#scheduler.basisOf(of)),
      carryOut: (run, profile, current) => this.#carryOut(run, profile, current),
      onResult: (run, profile, result) => this.#takeResult(run, profile, result),
      onFailure: (reason) => deps.metrics.countJobFailure(failureReason(reason)),
      onChange: (id) => {
        this.#updateJobCounts();
        this.#tell(id);
      },
    });
  }

  /** Marks leftovers, shows the last results again, and orders what there is a reason for, now and later (see `Scheduler`). */
  start(): void {
    const { models, metrics, sampler, hardware, store, logger } = this.#deps;
    // Reading it takes a second or two, in a process of its own; scrapes do not wait for it.
    void hardware?.then((inventory) => metrics.setInventory(inventory));
    this.#stopObserving = sampler.onSnapshot((snapshot) => metrics.observeSnapshot(snapshot));
    for (const profile of models.all) restoreMetrics(this.#deps, profile);
    this.#queue.start(async () => {
      await this.#queue.write(() => {
        for (const run of store.interruptRunning())
          logger.warn('a run was interrupted', { run: run.id, model: run.model, state: run.state });
      });
      this.#updateJobCounts();
      await this.watch.catchUp((write) => this.#queue.write(write));
      await this.#storage.start();
      await this.#scheduler.start();
    });
  }

  /** Queues a full run, unless one of the model is queued already. */
  async #orderFull(model: string, reasons: readonly RunReason[], basis: RunBasis): Promise<void> {
    const { store, logger } = this.#deps;
    const made = await this.#queue.write(() => queueFullRun(store, model, { reasons, basis }));
    if (made === undefined) return;
    logger.info('run ordered', { run: made.id, model, reasons });
    this.#updateJobCounts();
    this.#queue.wake();
  }

  /**
   * Goes by these models from now on. A run that is under way ends with the profile that it began with; an order that waits and
   * cannot be carried out any more fails now.
   */
  takeUp(profiles: readonly Profile[]): ModelChanges {
    const { models, logger } = this.#deps;
    const changes = models.replace(profiles);
    showModels(changes, models, this.#deps);
    for (const id of failOrphans(models, this.#deps)) this.#tell(id);
    this.#updateJobCounts();
    // What it orders may wait for the disk; nobody waits for that.
    this.#scheduler
      .takeUp(changes)
      .catch((error: unknown) => logger.error('models cannot be scheduled', { stack: asError(error).stack }));
    return changes;
  }

  /** The registered models. */
  get profiles(): readonly Profile[] {
    return this.#deps.models.all;
  }

  /**
   * Queues work on a registered model; see `takeOrder`. Problems: its own, `daemon-stopping`, and `disk-quota-exceeded` or `disk-space-low`
   * where there is no room for a run.
   */
  order(incoming: IncomingOrder): Result<RunView, Problem> {
    if (this.#isStopping) {
      return err(
        problem('daemon-stopping', 'the daemon is about to end and takes no orders any more', {
          hint: 'send the order again, under the same Idempotency-Key, when it has been started anew',
        }),
      );
    }
    const { shortage } = this.#storage;
    if (shortage !== undefined) return err(shortage);
    const { models, store, clock } = this.#deps;
    const run = takeOrder(incoming, models, store, clock.wallMs());
    if (!run.ok) return run;
    this.#updateJobCounts();
    this.#queue.wake();
    return ok(this.#view(run.value));
  }

  /** Ends a run that waits or is under way; see `cancelRun`. */
  cancelRun(id: string): Result<RunView, Problem> {
    const cancelled = cancelRun(id, this.#queue.current, this.#deps.store);
    if (!cancelled.ok) return cancelled;
    this.#updateJobCounts();
    const view = this.#view(cancelled.value);
    this.#feed.tell(view);
    return ok(view);
  }

  /** Removes a run that is over with what it left; see `removeRun`. */
  removeRun(id: string): Promise<Result<void, Problem>> {
    const { store, traces, logger } = this.#deps;
    const removed = removeRun(id, {
      store,
      logdir: traces().logdir,
      reading: this.records.tracesInUse(),
      logger,
    });
    return removed.finally(() => this.#updateJobCounts());
  }

  /** Follows a run (see `RunFeed.follow`). Undefined where there is none. */
  followRun(
    id: string,
    after: string | undefined,
    listener: (news: RunNews) => void,
  ): (() => void) | undefined {
    const run = this.getRun(id);
    return run === undefined ? undefined : this.#feed.follow(run, after, listener);
  }

  getRun(id: string): RunView | undefined {
    const run = this.#deps.store.getRun(id);
    return run === undefined ? undefined : this.#view(run);
  }

  listRuns(query: RunQuery): readonly RunView[] {
    return this.#deps.store.listRuns(query).map((run) => this.#view(run));
  }

  /** The registered models with what their last full runs found out. */
  listModels(): readonly ModelView[] {
    return this.#deps.models.all.map((profile) => modelView(profile, this.#deps.store));
  }

  /** How the variants of a model fared in its last runs, the oldest first. */
  modelHistory(query: Parameters<typeof modelHistory>[1]): ModelHistory {
    return modelHistory(this.#deps.store, query);
  }

  /** When the newest benchmarks on demand were ordered, as the lines of a trace. */
  benchArrivals(query: Parameters<Store['benchOrders']>[0]): Iterable<string> {
    return orderLines(this.#deps.store.benchOrders(query));
  }

  /**
   * The exposition of the moment. Never waits for a worker, a disk or a driver.
   * @param accept the formats that the scraper can read, as in the header of that name
   */
  renderMetrics(accept?: string): ReturnType<Metrics['render']> {
    const { metrics, sampler } = this.#deps;
    return metrics.render(accept, () => sampler.latest());
  }

  /** Calls `listener` with every snapshot of the host. Returns the function that ends it. */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void {
    return this.#deps.sampler.onSnapshot(listener);
  }

  /** Whether the sampler has given at least one snapshot, or has said why it cannot. */
  isReady(): boolean {
    return !this.#isStopping && this.#deps.sampler.health().state !== 'starting';
  }

  /** Whether it takes no orders any more. */
  isStopping(): boolean {
    return this.#isStopping;
  }

  /** Whether a run is under way. */
  isRunning(): boolean {
    return this.#queue.current !== undefined;
  }

  /** See `RunQueue.isStuck`. */
  isStuck(): boolean {
    return this.#queue.isStuck();
  }

  /** How many runs wait. */
  queuedCount(): number {
    return this.#deps.store.countRuns().queued ?? 0;
  }

  /**
   * Takes no orders and begins no run any more. A run under way may end within the time that is given; otherwise it becomes
   * `interrupted`, or goes back to the queue where somebody waits for it, and its processes are gone when this resolves.
   */
  async stop(graceMs = 0): Promise<void> {
    this.#isStopping = true;
    const unscheduled = this.#scheduler.stop();
    await this.#queue.stop(graceMs, unscheduled);
    await this.#storage.stop();
    this.#stopObserving?.();
    const interrupted = await this.#queue.write(() => this.#deps.store.interruptRunning());
    for (const { id } of interrupted ?? []) this.#tell(id);
  }

  #view(run: Run): RunView {
    return runView(run, this.#queue.current, this.#deps.store);
  }

  #tell(id: string): void {
    const view = this.getRun(id);
    if (view !== undefined) this.#feed.tell(view);
  }

  #carryOut(run: Run, profile: Profile, current: CurrentRun): Promise<Result<PipelineResult, Problem>> {
    const tellProgress = () => this.#feed.tellProgress(this.#view(run));
    return runOrder(run, profile, {
      ...this.#deps,
      traces: this.#deps.traces(),
      signal: current.abort.signal,
      workers: this.#deps.metrics,
      baselinesOf: (model) => this.watch.baselinesOf(model),
      onProgress: (progress) => {
        current.progress = progress;
        delete current.waitingFor;
        tellProgress();
      },
      onWaiting: (what) => {
        current.waitingFor = what;
        tellProgress();
      },
    });
  }

  async #takeResult(run: Run, profile: Profile, result: PipelineResult): Promise<void> {
    const { traces, clock, logger } = this.#deps;
    exportResult(this.#deps, profile, run.id, result);
    const ended = { ...run, finishedMs: clock.wallMs() };
    const changes = await this.#queue.write(() => this.watch.take(ended, result));
    this.watch.confirm(run.model);
    const host = { entry: this.#deps.workerEntry };
    await this.watch.explain(changes ?? [], profile, { host, signal: this.#queue.stopping });
    const reading = this.records.tracesInUse();
    await pruneRunTraces(result, traces(), { reading, nowMs: clock.wallMs(), logger });
  }

  #updateJobCounts(): void {
    this.#deps.metrics.setJobs(this.#deps.store.countRuns());
  }
}
