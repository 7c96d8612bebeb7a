import type { Problem } from '../core/problem.ts';
import type { Priority, RunKind, RunState } from '../core/run-terms.ts';

/** One execution of a job. `request` and `result` are plain data that the store does not look into. */
export interface Run {
  /** A ULID: ids sort by the time of creation. */
  readonly id: string;
  readonly kind: RunKind;
  /** The name of the profile. */
  readonly model: string;
  readonly state: RunState;
  readonly request: unknown;
  readonly priority: Priority;
  /** 1, and one more each time that it is begun anew. */
  readonly attempt: number;
  /** Why the attempt before this one came to nothing. */
  readonly earlierProblem?: Problem;
  /** Milliseconds since the Unix epoch, as the other times. */
  readonly createdMs: number;
  /** Of the last attempt that was begun. */
  readonly startedMs?: number;
  readonly finishedMs?: number;
  /** It is given up when it is not over by then. */
  readonly deadlineMs?: number;
  /** It waits at least until then. */
  readonly notBeforeMs?: number;
  readonly result?: unknown;
  readonly problem?: Problem;
}
