import type { Problem } from '../core/problem.ts';
import type { Priority, RunKind, RunState } from '../core/run-terms.ts';
import type { Row } from './database.ts';
import type { Run } from './run.ts';

/** A row of the table `runs` as the run that it is. */
export function toRun(row: Row): Run {
  return {
    id: row['id'] as string,
    kind: row['kind'] as RunKind,
    model: row['model'] as string,
    state: row['state'] as RunState,
    request: parse(row['request']),
    priority: row['priority'] as Priority,
    attempt: row['attempt'] as number,
    ...(row['earlier_problem'] === null ? {} : { earlierProblem: parse(row['earlier_problem']) as Problem }),
    createdMs: row['created_ms'] as number,
    ...(row['started_ms'] === null ? {} : { startedMs: row['started_ms'] as number }),
    ...(row['finished_ms'] === null ? {} : { finishedMs: row['finished_ms'] as number }),
    ...(row['deadline_ms'] === null ? {} : { deadlineMs: row['deadline_ms'] as number }),
    ...(row['not_before_ms'] === null ? {} : { notBeforeMs: row['not_before_ms'] as number }),
    ...(row['result'] === null ? {} : { result: parse(row['result']) }),
    ...(row['problem'] === null ? {} : { problem: parse(row['problem']) as Problem }),
  };
}

function parse(column: unknown): unknown {
  return JSON.parse(column as string) as unknown;
}
