import type { Database } from 'libsql';
import type { Clock } from '../core/clock.ts';
import { toJson } from '../core/json.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Row } from './database.ts';
import { createRunIds } from './run-ids.ts';
import { allOrNothing, writing } from './writing.ts';

export type RunKind = 'pipeline' | 'bench';
export type RunState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';

/** One execution of a job. `request` and `result` are plain data that the store does not look into. */
export interface Run {
  /** A ULID: ids sort by the time of creation. */
  readonly id: string;
  readonly kind: RunKind;
  /** The name of the profile. */
  readonly model: string;
  readonly state: RunState;
  readonly request: unknown;
  /** Milliseconds since the Unix epoch, as the other times. */
  readonly createdMs: number;
  readonly startedMs?: number;
  readonly finishedMs?: number;
  readonly result?: unknown;
  readonly problem?: Problem;
}

export interface RunQuery {
  readonly model?: string;
  readonly kind?: RunKind;
  readonly state?: RunState;
  readonly limit: number;
  /** Only runs that were created before the one with this id: the last id of a page asks for the next. */
  readonly before?: string;
}

/** What the sender of an order calls it, so that it can be sent again without being carried out again. */
export interface OrderKey {
  readonly key: string;
  /** Of all that was asked for. */
  readonly digest: string;
}

export type TransitionProblem = Problem<'run-not-found' | 'run-state-conflict'>;

/**
 * The runs of a store. A transition that the run's state does not allow changes nothing and is a problem. Whatever writes throws
 * a `ProblemError` of kind `store-not-written` where the disk does not take it, and has changed nothing then.
 */
export interface Runs {
  /** Adds a run in the state `queued`, and with it the key of its order where that has one. */
  createRun(run: {
    readonly kind: RunKind;
    readonly model: string;
    readonly request: unknown;
    readonly key?: OrderKey;
  }): Run;
  /** What was ordered under a key in the last 24 hours. */
  findOrder(key: string): { readonly digest: string; readonly runId: string } | undefined;
  /** queued → running. */
  startRun(id: string): Result<Run, TransitionProblem>;
  /** running → succeeded. */
  finishRun(id: string, result: unknown): Result<Run, TransitionProblem>;
  /** queued or running → failed. */
  failRun(id: string, problem: Problem): Result<Run, TransitionProblem>;
  /** queued or running → cancelled. */
  cancelRun(id: string): Result<Run, TransitionProblem>;
  /** running → interrupted, for all: at the start of a daemon, what runs can only be a leftover. */
  interruptRunning(): readonly Run[];
  getRun(id: string): Run | undefined;
  /** The run that has waited longest. */
  nextQueued(): Run | undefined;
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
  readonly result?: unknown;
  readonly problem?: Problem;
}

const KEY_LIFETIME_MS = 24 * 3600 * 1000;

const UNFINISHED = ['queued', 'running'] as const;

/** @param onEnded told of every run that has come to its end */
export function createRuns(db: Database, clock: Clock, onEnded: (id: string) => void): Runs {
  const newest = db.prepare('SELECT max(id) AS id FROM runs').get() as Row;
  const newId = createRunIds((newest['id'] as string | null) ?? undefined);
  const insert = db.prepare(
    `INSERT INTO runs (id, kind, model, state, request, created_ms)
     VALUES (@id, @kind, @model, 'queued', @request, @createdMs)`,
  );
  const insertKey = db.prepare(
    `INSERT OR REPLACE INTO order_keys (key, digest, run_id, created_ms) VALUES (@key, @digest, @id, @createdMs)`,
  );
  const forgetKeys = db.prepare('DELETE FROM order_keys WHERE created_ms < @beforeMs');
  const selectKey = db.prepare(
    'SELECT digest, run_id FROM order_keys WHERE key = @key AND created_ms >= @sinceMs',
  );
  const update = db.prepare(
    `UPDATE runs SET state = @state, started_ms = coalesce(@startedMs, started_ms), finished_ms = @finishedMs,
       result = @result, problem = @problem WHERE id = @id`,
  );
  const selectOne = db.prepare('SELECT * FROM runs WHERE id = @id');
  const selectOldestQueued = db.prepare("SELECT * FROM runs WHERE state = 'queued' ORDER BY id LIMIT 1");
  const count = db.prepare('SELECT state, count(*) AS n FROM runs GROUP BY state');

  const getRun = (id: string): Run | undefined => {
    const row = selectOne.get({ id }) as Row | undefined;
    return row === undefined ? undefined : toRun(row);
  };

  // Between reading the state and writing it nothing else runs: the calls are synchronous and the only writer's.
  const move = (id: string, change: Transition): Result<Run, TransitionProblem> => {
    const before = getRun(id);
    if (before === undefined) return err(problem('run-not-found', `there is no run ${id}`));
    if (!change.from.includes(before.state)) {
      return err(
        problem('run-state-conflict', `run ${id} is ${before.state} and cannot become ${change.to}`),
      );
    }
    writing(() =>
      update.run({
        id,
        state: change.to,
        startedMs: change.startedMs ?? null,
        finishedMs: change.finishedMs ?? null,
        result: change.result === undefined ? null : toJson(change.result),
        problem: change.problem === undefined ? null : toJson(change.problem),
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

  return {
    benchOrders,
    createRun: ({ kind, model, request, key }) => {
      const createdMs = clock.wallMs();
      const id = newId(createdMs);
      // A key without its run would lose an order, a run without its key would carry one out twice.
      writing(() =>
        allOrNothing(db, () => {
          insert.run({ id, kind, model, request: toJson(request ?? null), createdMs });
          if (key === undefined) return;
          insertKey.run({ ...key, id, createdMs });
          forgetKeys.run({ beforeMs: createdMs - KEY_LIFETIME_MS });
        }),
      );
      return getRun(id) as Run;
    },
    findOrder: (key) => {
      const row = selectKey.get({ key, sinceMs: clock.wallMs() - KEY_LIFETIME_MS }) as Row | undefined;
      return row === undefined ? undefined : { digest: String(row['digest']), runId: String(row['run_id']) };
    },
    startRun: (id) => move(id, { from: ['queued'], to: 'running', startedMs: clock.wallMs() }),
    finishRun: (id, result) =>
      move(id, { from: ['running'], to: 'succeeded', finishedMs: clock.wallMs(), result }),
    failRun: (id, reason) =>
      move(id, { from: UNFINISHED, to: 'failed', finishedMs: clock.wallMs(), problem: reason }),
    cancelRun: (id) => move(id, { from: UNFINISHED, to: 'cancelled', finishedMs: clock.wallMs() }),
    interruptRunning: () => {
      const finishedMs = clock.wallMs();
      const reason = problem('interrupted', 'the daemon ended while the run was in progress', {
        hint: 'start it again',
      });
      const running = db.prepare("SELECT id FROM runs WHERE state = 'running' ORDER BY id").all() as Row[];
      return running.flatMap(({ id }) => {
        const moved = move(String(id), {
          from: ['running'],
          to: 'interrupted',
          finishedMs,
          problem: reason,
        });
        return moved.ok ? [moved.value] : [];
      });
    },
    getRun,
    nextQueued: () => {
      const row = selectOldestQueued.get() as Row | undefined;
      return row === undefined ? undefined : toRun(row);
    },
    listRuns,
    countRuns: () => Object.fromEntries((count.all() as Row[]).map(({ state, n }) => [state, n])),
  };
}

function toRun(row: Row): Run {
  return {
    id: row['id'] as string,
    kind: row['kind'] as RunKind,
    model: row['model'] as string,
    state: row['state'] as RunState,
    request: parse(row['request']),
    createdMs: row['created_ms'] as number,
    ...(row['started_ms'] === null ? {} : { startedMs: row['started_ms'] as number }),
    ...(row['finished_ms'] === null ? {} : { finishedMs: row['finished_ms'] as number }),
    ...(row['result'] === null ? {} : { result: parse(row['result']) }),
    ...(row['problem'] === null ? {} : { problem: parse(row['problem']) as Problem }),
  };
}

function parse(column: unknown): unknown {
  return JSON.parse(column as string) as unknown;
}
