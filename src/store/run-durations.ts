import type { Database } from 'libsql';
import { toJson } from '../core/json.ts';
import type { RunKind } from '../core/run-terms.ts';
import type { Row } from './database.ts';

/** A run that is not over, as far as its duration goes. */
export interface UnfinishedRun {
  readonly id: string;
  readonly model: string;
  readonly state: 'queued' | 'running';
  readonly request: unknown;
  readonly startedMs?: number;
}

/** Times of runs. Results are never looked at: they are large, and reading them takes time that the daemon does not have. */
export interface RunDurations {
  /**
   * How long the newest runs of a kind that succeeded took, in milliseconds, the newest first.
   * @param like how many, of which model, and of what order exactly, unless any will do
   */
  runDurationsMs(like: {
    readonly model: string;
    readonly kind: RunKind;
    readonly request?: unknown;
    readonly limit: number;
  }): readonly number[];
  /** What is under way, then what waits, in the order in which it will be done. */
  unfinishedRuns(): readonly UnfinishedRun[];
}

export function createRunDurations(db: Database): RunDurations {
  const select = (condition: string) =>
    db.prepare(
      `SELECT finished_ms - started_ms AS ms FROM runs
       WHERE model = @model AND kind = @kind AND state = 'succeeded' ${condition} ORDER BY id DESC LIMIT @limit`,
    );
  const any = select('');
  const same = select('AND request = @request');
  const unfinished = db.prepare(
    `SELECT id, model, state, request, started_ms FROM runs WHERE state IN ('running', 'queued')
     ORDER BY state = 'queued', rank_ms, id`,
  );
  return {
    runDurationsMs: ({ request, ...like }) => {
      const rows = request === undefined ? any.all(like) : same.all({ ...like, request: toJson(request) });
      return (rows as Row[]).map(({ ms }) => Number(ms));
    },
    unfinishedRuns: () =>
      (unfinished.all({}) as Row[]).map((row) => ({
        id: String(row['id']),
        model: String(row['model']),
        state: row['state'] as UnfinishedRun['state'],
        request: JSON.parse(String(row['request'])) as unknown,
        ...(row['started_ms'] === null ? {} : { startedMs: Number(row['started_ms']) }),
      })),
  };
}
