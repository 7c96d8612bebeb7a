import { existsSync } from 'node:fs';
import type { Profile } from '../config/profile.ts';
import { asError } from '../core/as-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import { attempt, type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Run, RunQuery } from '../store/runs.ts';
import type { Store } from '../store/store.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import type { Snapshot } from '../telemetry/snapshot.ts';
import { exportResult, restoreMetrics } from './exported-results.ts';
import { type BenchOrder, mistakeIn, planOf, type RunOrder } from './orders.ts';
import { type PipelineResult, runPipeline } from './pipeline.ts';
import { TimelineReaders } from './read-run-timeline.ts';
import { orderLines } from './recorded-arrivals.ts';
import { failureReason } from './result-metrics.ts';
import { changedItemsFile, timelineFile } from './run-files.ts';
import type { SeriesQuery } from './series-task.ts';
import type { JobProgress } from './worker-protocol.ts';
import { writeWhenPossible } from './write-when-possible.ts';

export interface AgentDeps {
  readonly profiles: readonly Profile[];
  readonly store: Store;
  readonly sampler: Sampler;
  readonly samplerIdleIntervalMs: number;
  readonly metrics: Metrics;
  readonly workerEntry: URL;
  /** See `PipelineDeps`. */
  readonly hardware?: Promise<HostInventory>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long to wait for a disk that does not take what is written; 5 s unless given. */
  readonly storeRetryMs?: number;
  /** Told when the queue cannot go on, as when the store is damaged. */
  readonly onFault?: (error: Error) => void;
}

/** A run as it can be seen while it waits, works, or has ended. */
export interface RunView extends Run {
  /** How many runs come before it; only while it waits. */
  readonly queuePosition?: number;
  readonly progress?: JobProgress;
}

const MAX_QUEUED = 100;
const STORE_RETRY_MS = 5000;

/**
 * The daemon's work, from start to stop: one run at a time, because two would disturb each other's figures. Runs are
 * rows of the store, so a queue outlives a restart; what ran when the daemon died is marked interrupted.
 */
export class Agent {
  readonly #deps: AgentDeps;
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #timelines: TimelineReaders;
  #current: { readonly id: string; readonly abort: AbortController; progress?: JobProgress } | undefined;
  #loop: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  #stopObserving: (() => void) | undefined;

  constructor(deps: AgentDeps) {
    this.#deps = deps;
    this.#timelines = new TimelineReaders({ entry: deps.workerEntry });
    this.#profiles = new Map(deps.profiles.map((profile) => [profile.name, profile]));
  }

  /** Marks leftovers, shows the last results again, and queues a run of every registered model. */
  start(): void {
    const { profiles, metrics, sampler, hardware } = this.#deps;
    // Reading it takes a second or two, in a process of its own; scrapes do not wait for it.
    void hardware?.then((inventory) => metrics.setInventory(inventory));
    this.#stopObserving = sampler.onSnapshot((snapshot) => metrics.observeSnapshot(snapshot));
    for (const profile of profiles) restoreMetrics(this.#deps, profile);
    const queued = attempt(() => this.#queueAll());
    this.#work(queued.ok ? undefined : () => this.#write(() => this.#queueAll()));
  }

  /** May be called again where it came to an end by a full disk. */
  #queueAll(): void {
    const { store, logger, profiles } = this.#deps;
    for (const run of store.interruptRunning())
      logger.warn('a run was interrupted', { run: run.id, model: run.model });
    for (const { name: model } of profiles) {
      const [waiting] = store.listRuns({ model, kind: 'pipeline', state: 'queued', limit: 1 });
      const request: RunOrder = { kind: 'pipeline' };
      if (waiting === undefined) store.createRun({ kind: 'pipeline', model, request });
    }
  }

  /** The registered models. */
  get profiles(): readonly Profile[] {
    return this.#deps.profiles;
  }

  /**
   * Queues a benchmark of a registered model.
   * Problems: `unknown-model`, `unknown-variant`, `unknown-suite`, `queue-full`, `store-not-written`.
   */
  orderBench(model: string, order: BenchOrder): Result<RunView, Problem> {
    const profile = this.#profiles.get(model);
    if (profile === undefined) {
      return err(
        problem('unknown-model', `no model '${model}' is registered`, {
          place: { field: '/model' },
          hint: `registered are: ${[...this.#profiles.keys()].join(', ') || 'none'}`,
        }),
      );
    }
    const mistake = mistakeIn(order, profile);
    if (mistake !== undefined) return err(mistake);
    const { store } = this.#deps;
    if ((store.countRuns().queued ?? 0) >= MAX_QUEUED) {
      return err(
        problem('queue-full', `${MAX_QUEUED} runs are waiting already`, { hint: 'try again later' }),
      );
    }
    const run = attempt(() => store.createRun({ kind: 'bench', model, request: order }));
    if (!run.ok) return run;
    this.#updateJobCounts();
    this.#work();
    return ok(this.#view(run.value));
  }

  getRun(id: string): RunView | undefined {
    const run = this.#deps.store.getRun(id);
    return run === undefined ? undefined : this.#view(run);
  }

  /** The file that lists the items whose answer a variant changed in a run; undefined where the run evaluated no such variant. */
  changedItems(id: string, variant: string): string | undefined {
    // A result that another version wrote may have a shape of its own.
    const result = this.#deps.store.getRun(id)?.result as Partial<PipelineResult> | undefined;
    // The name becomes a part of a path, so it must be one that the run itself had.
    const known = result?.variants?.find((outcome) => outcome.variant === variant)?.evaluation;
    return known === undefined ? undefined : changedItemsFile(this.#deps.store.runDirectory(id), variant);
  }

  /** Columns of a run's timeline, as JSON of a `SeriesView`; undefined where there is no such run, or it has no timeline. */
  async readTimeline(id: string, query: SeriesQuery): Promise<Result<string, Problem> | undefined> {
    const run = this.#deps.store.getRun(id);
    if (run?.startedMs === undefined) return undefined;
    const file = timelineFile(this.#deps.store.runDirectory(id));
    return existsSync(file) ? this.#timelines.read(file, query) : undefined;
  }

  listRuns(query: RunQuery): readonly RunView[] {
    return this.#deps.store.listRuns(query).map((run) => this.#view(run));
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
    metrics.setHost(sampler.latest());
    return metrics.render(accept);
  }

  /** Calls `listener` with every snapshot of the host. Returns the function that ends it. */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void {
    return this.#deps.sampler.onSnapshot(listener);
  }

  /** Whether the sampler has given at least one snapshot, or has said why it cannot. */
  isReady(): boolean {
    return this.#deps.sampler.health().state !== 'starting';
  }

  /** Ends the run under way, which becomes `interrupted`, and waits until its processes are gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#current?.abort.abort();
    await this.#loop;
    this.#stopObserving?.();
    await this.#write(() => this.#deps.store.interruptRunning());
  }

  #view(run: Run): RunView {
    if (run.state === 'queued') {
      const ahead = this.#deps.store.listRuns({ state: 'queued', limit: MAX_QUEUED, before: run.id }).length;
      return { ...run, queuePosition: ahead + (this.#current === undefined ? 0 : 1) };
    }
    const progress = this.#current?.id === run.id ? this.#current.progress : undefined;
    return { ...run, ...(progress === undefined ? {} : { progress }) };
  }

  #work(first: () => Promise<unknown> = async () => {}): void {
    this.#loop ??= first()
      .then(() => this.#drain())
      .catch((error: unknown) => {
        const thrown = asError(error);
        this.#deps.logger.error('the queue cannot go on', { stack: thrown.stack });
        this.#deps.onFault?.(thrown);
      })
      .finally(() => {
        this.#loop = undefined;
      });
  }

  async #drain(): Promise<void> {
    // Lets the caller finish first, so that a request is answered as queued.
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#stopping.signal.aborted) {
      const next = this.#deps.store.nextQueued();
      this.#updateJobCounts();
      if (next === undefined) return;
      await this.#execute(next);
    }
  }

  async #execute(run: Run): Promise<void> {
    const { store, logger } = this.#deps;
    const profile = this.#profiles.get(run.model);
    if (profile === undefined) {
      const gone = problem('unknown-model', `no model '${run.model}' is registered any more`);
      await this.#write(() => store.failRun(run.id, gone));
      return;
    }
    const current: { id: string; abort: AbortController; progress?: JobProgress } = {
      id: run.id,
      abort: new AbortController(),
    };
    this.#current = current;
    await this.#write(() => store.startRun(run.id));
    this.#updateJobCounts();
    logger.info('run started', { run: run.id, kind: run.kind, model: run.model });
    const outcome = await this.#pipelineOf(run, profile, current);
    this.#current = undefined;
    if (outcome.ok) {
      await this.#write(() => store.finishRun(run.id, outcome.value));
      exportResult(this.#deps, profile, run.id, outcome.value);
      logger.info('run succeeded', { run: run.id, model: run.model, seconds: outcome.value.seconds });
    } else if (!this.#stopping.signal.aborted) {
      await this.#write(() => store.failRun(run.id, outcome.error));
      this.#deps.metrics.countJobFailure(failureReason(outcome.error));
      logger.error('run failed', { run: run.id, model: run.model, ...outcome.error });
    }
  }

  /** A disk that is full for a while costs neither a result nor the daemon. Undefined where the daemon stops before. */
  #write<T>(write: () => T): Promise<T | undefined> {
    const { logger, storeRetryMs: retryMs = STORE_RETRY_MS } = this.#deps;
    return writeWhenPossible(write, { logger, retryMs, signal: this.#stopping.signal });
  }

  /** A bug in one run is that run's failure: the daemon goes on. */
  async #pipelineOf(
    run: Run,
    profile: Profile,
    current: { readonly abort: AbortController; progress?: JobProgress },
  ): Promise<Result<PipelineResult, Problem>> {
    const { store, sampler, samplerIdleIntervalMs, metrics, workerEntry, hardware, clock, logger } =
      this.#deps;
    try {
      return await runPipeline(run.id, profile, planOf(profile, run.request as RunOrder), {
        store,
        sampler,
        samplerIdleIntervalMs,
        workerEntry,
        ...(hardware === undefined ? {} : { hardware }),
        clock,
        logger,
        signal: current.abort.signal,
        workers: metrics,
        onProgress: (progress) => {
          current.progress = progress;
        },
      });
    } catch (error) {
      const thrown = asError(error);
      logger.error('fault in a run', { run: run.id, stack: thrown.stack });
      return err(problem('internal-fault', `a fault in ptq-agent itself: ${thrown.message}`));
    }
  }

  #updateJobCounts(): void {
    this.#deps.metrics.setJobs(this.#deps.store.countRuns());
  }
}
