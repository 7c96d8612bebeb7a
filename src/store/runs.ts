import type { Database } from 'libsql';
import type { Clock } from '../core/clock.ts';
import { toJson } from '../core/json.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Priority, RunKind, RunState } from '../core/run-terms.ts';
import type { Row } from './database.ts';
import { createOrderKeys, type OrderKey } from './order-keys.ts';
import { higherOf, queueRankMs } from './queue-rank.ts';
import type { Run } from './run.ts';
import { decodeTime } from './run-id.ts';
import { createRunIds } from './run-ids.ts';
import { toRun } from './run-row.ts';
import { createWaitingRuns, type WaitingRuns } from './waiting-runs.ts';
import { allOrNothing, writing } from './writing.ts';

export type { Run } from './run.ts';

/** What makes a run. */
export interface NewRun {
  readonly kind: RunKind;
  readonly model: string;
  readonly request: unknown;
  /** `normal` unless given. */
  readonly priority?: Priority;
  readonly deadlineMs?: number;
  /** Whether it goes back to the queue, once, when its daemon ended while it ran. */
  readonly resumes?: boolean;
  readonly key?: OrderKey;
}

export interface RunQuery {
  readonly model?: string;
  readonly kind?: RunKind;
  readonly state?: RunState;
  readonly limit: number;
  /** Only runs that were created before the one with this id: the last id of a page asks for the next. */
  readonly before?: string;
}

export type TransitionProblem = Problem<'run-not-found' | 'run-state-conflict'>;

/**
 * The runs of a store. A transition that the run's state does not allow changes nothing and is a problem. Whatever writes throws
 * a `ProblemError` of kind `store-not-written` where the disk does not take it, and has changed nothing then.
 */
export interface Runs extends WaitingRuns {
  /** Adds a run in the state `queued`, and with it the key of its order where that has one. */
  createRun(run: NewRun): Run;
  /** What was ordered under a key in the last 24 hours. */
  findOrder(key: string): { readonly digest: string; readonly runId: string } | undefined;
  /** Notes that another order, of somebody who waits for it, is one with a run that waits: the higher priority of both holds, and it resumes. */
  joinRun(
    id: string,
    order: { readonly priority: Priority; readonly key?: OrderKey },
  ): Result<Run, TransitionProblem>;
  /** queued → running; with a request, that takes the place of the one that it was made with. */
  startRun(id: string, request?: unknown): Result<Run, TransitionProblem>;
  /** running → succeeded. */
  finishRun(id: string, result: unknown): Result<Run, TransitionProblem>;
  /** queued or running → failed. */
  failRun(id: string, problem: Problem): Result<Run, TransitionProblem>;
  /** queued or running → cancelled. */
  cancelRun(id: string): Result<Run, TransitionProblem>;
  /** queued or running → expired. */
  expireRun(id: string): Result<Run, TransitionProblem>;
  /** running → queued, for another attempt, which begins at `notBeforeMs` or later. */
  retryRun(id: string, why: Problem, notBeforeMs?: number): Result<Run, TransitionProblem>;
  /**
   * Running → interrupted, for all: at the start of a daemon, what runs can only be a leftover. Those that resume go back to
   * the queue instead, the first time.
   */
  interruptRunning(): readonly Run[];
  getRun(id: string): Run | undefined;
  /** Newest first. */
  listRuns(query: RunQuery): readonly Run[];
  /** When the newest benchmarks on demand were ordered, in milliseconds since the Unix epoch, the oldest first. */
  benchOrders(query: { readonly model?: string; readonly limit: number }): readonly number[];
  countRuns(): Readonly<Partial<Record<RunState, number>>>;
}

interface Transition {
  readonly from: readonly RunState[];
  readonly to: RunState;
  readonly startedMs?: number;
  readonly finishedMs?: number;
  readonly request?: unknown;
  readonly result?: unknown;
  readonly problem?: Problem;
  readonly attempt?: number;
  readonly notBeforeMs?: number;
  readonly earlierProblem?: Problem;
}

const UNFINISHED = ['queued', 'running'] as const;
const MOST_RESUMED_ATTEMPT = 1;

/** @param onEnded told of every run that has come to its end */
export function createRuns(db: Database, clock: Clock, onEnded: (id: string) => void): Runs {
  const newest = db.prepare('SELECT max(id) AS id FROM runs').get() as Row;
  const newId = createRunIds((newest['id'] as string | null) ?? undefined);
  const keys = createOrderKeys(db, clock);
  const insert = db.prepare(
    `INSERT INTO runs (id, kind, model, state, request, created_ms, priority, rank_ms, deadline_ms, resumes)
     VALUES (@id, @kind, @model, 'queued', @request, @createdMs, @priority, @rankMs, @deadlineMs, @resumes)`,
  );
  const update = db.prepare(
    `UPDATE runs SET state = @state, started_ms = coalesce(@startedMs, started_ms), finished_ms = @finishedMs,
       request = coalesce(@request, request), result = @result, problem = @problem, attempt = coalesce(@attempt, attempt),
       not_before_ms = @notBeforeMs, earlier_problem = coalesce(@earlierProblem, earlier_problem) WHERE id = @id`,
  );
  const join = db.prepare(
    'UPDATE runs SET priority = @priority, rank_ms = @rankMs, resumes = 1 WHERE id = @id',
  );
  const selectOne = db.prepare('SELECT * FROM runs WHERE id = @id');
  const selectRunning = db.prepare("SELECT id, resumes FROM runs WHERE state = 'running' ORDER BY id");
  const count = db.prepare('SELECT state, count(*) AS n FROM runs GROUP BY state');

  const getRun = (id: string): Run | undefined => {
    const row = selectOne.get({ id }) as Row | undefined;
    return row === undefined ? undefined : toRun(row);
  };

  // Between reading the state and writing it nothing else runs: the calls are synchronous and the only writer's.
  const move = (id: string, change: Transition): Result<Run, TransitionProblem> => {
    const before = getRun(id);
    if (before === undefined || !change.from.includes(before.state))
      return err(conflictOf(id, before, change.to));
    writing(() =>
      update.run({
        id,
        state: change.to,
        startedMs: change.startedMs ?? null,
        finishedMs: change.finishedMs ?? null,
        request: jsonOrNull(change.request),
        result: jsonOrNull(change.result),
        problem: jsonOrNull(change.problem),
        attempt: change.attempt ?? null,
        notBeforeMs: change.notBeforeMs ?? null,
        earlierProblem: jsonOrNull(change.earlierProblem),
      }),
    );
    if (change.finishedMs !== undefined) onEnded(id);
    return ok(getRun(id) as Run);
  };

  const listRuns = ({ model, kind, state, limit, before }: RunQuery): readonly Run[] => {
    const conditions = [
      ...(model === undefined ? [] : ['model = @model']),
      ...(kind === undefined ? [] : ['kind = @kind']),
      ...(state === undefined ? [] : ['state = @state']),
      ...(before === undefined ? [] : ['id < @before']),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const statement = db.prepare(`SELECT * FROM runs ${where} ORDER BY id DESC LIMIT @limit`);
    return (statement.all({ model, kind, state, before, limit }) as Row[]).map(toRun);
  };

  const benchOrders: Runs['benchOrders'] = ({ model, limit }) => {
    const ofModel = model === undefined ? '' : 'AND model = @model';
    const statement = db.prepare(
      `SELECT created_ms FROM runs WHERE kind = 'bench' ${ofModel} ORDER BY id DESC LIMIT @limit`,
    );
    return (statement.all({ model, limit }) as Row[]).map((row) => Number(row['created_ms'])).reverse();
  };

  const retryRun: Runs['retryRun'] = (id, why, notBeforeMs) => {
    const attempt = (getRun(id)?.attempt ?? 0) + 1;
    return move(id, {
      from: ['running'],
      to: 'queued',
      attempt,
      earlierProblem: why,
      ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
    });
  };

  return {
    ...createWaitingRuns(db, clock),
    benchOrders,
    createRun: ({ kind, model, request, priority = 'normal', deadlineMs, resumes = false, key }) => {
      const createdMs = clock.wallMs();
      const id = newId(createdMs);
      // A key without its run would lose an order, a run without its key would carry one out twice.
      writing(() =>
        allOrNothing(db, () => {
          insert.run({
            ...{ id, kind, model, createdMs, priority },
            request: toJson(request ?? null),
            rankMs: queueRankMs(priority, decodeTime(id)),
            deadlineMs: deadlineMs ?? null,
            resumes: resumes ? 1 : 0,
          });
          if (key !== undefined) keys.add(key, id);
        }),
      );
      return getRun(id) as Run;
    },
    findOrder: keys.find,
    joinRun: (id, { priority, key }) => {
      const run = getRun(id);
      if (run?.state !== 'queued') return err(conflictOf(id, run, 'one with another order'));
      const higher = higherOf(priority, run.priority);
      writing(() =>
        allOrNothing(db, () => {
          join.run({ id, priority: higher, rankMs: queueRankMs(higher, decodeTime(id)) });
          if (key !== undefined) keys.add(key, id);
        }),
      );
      return ok(getRun(id) as Run);
    },
    startRun: (id, request) =>
      move(id, { from: ['queued'], to: 'running', startedMs: clock.wallMs(), request }),
    finishRun: (id, result) =>
      move(id, { from: ['running'], to: 'succeeded', finishedMs: clock.wallMs(), result }),
    failRun: (id, reason) =>
      move(id, { from: UNFINISHED, to: 'failed', finishedMs: clock.wallMs(), problem: reason }),
    cancelRun: (id) => move(id, { from: UNFINISHED, to: 'cancelled', finishedMs: clock.wallMs() }),
    expireRun: (id) =>
      move(id, {
        from: UNFINISHED,
        to: 'expired',
        finishedMs: clock.wallMs(),
        problem: problem('deadline-exceeded', 'the deadline of the order came before the run was over', {
          hint: 'order it again with more time, or with a higher priority',
        }),
      }),
    retryRun,
    interruptRunning: () =>
      (selectRunning.all() as Row[]).flatMap((row) => {
        const id = String(row['id']);
        const resumes = row['resumes'] === 1 && (getRun(id)?.attempt ?? 0) <= MOST_RESUMED_ATTEMPT;
        const moved = resumes
          ? retryRun(id, INTERRUPTED)
          : move(id, {
              from: ['running'],
              to: 'interrupted',
              finishedMs: clock.wallMs(),
              problem: INTERRUPTED,
            });
        return moved.ok ? [moved.value] : [];
      }),
    getRun,
    listRuns,
    countRuns: () => Object.fromEntries((count.all() as Row[]).map(({ state, n }) => [state, n])),
  };
}

const INTERRUPTED = problem('interrupted', 'the daemon ended while the run was in progress', {
  hint: 'start it again',
});

function conflictOf(id: string, run: Run | undefined, what: string): TransitionProblem {
  if (run === undefined) return problem('run-not-found', `there is no run ${id}`);
  return problem('run-state-conflict', `run ${id} is ${run.state} and cannot become ${what}`);
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : toJson(value);
}
