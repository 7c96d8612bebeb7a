import type { Database } from 'libsql';
import type { Clock } from '../core/clock.ts';
import type { Row } from './database.ts';
import type { Run } from './run.ts';
import { toRun } from './run-row.ts';

/** What waits, in the order of `queueRankMs`. */
export interface WaitingRuns {
  /** The run whose turn it is. */
  nextQueued(): Run | undefined;
  /** How many of those that wait come before one that waits. */
  countAhead(id: string): number;
  /** Those that wait although their deadline has come. */
  overdueRuns(): readonly Run[];
  /** When a run that waits reaches its deadline or may begin, the earliest; undefined where none has such a time. */
  nextQueueEventMs(): number | undefined;
}

/** A longer wait than any that is ordered: the clock was set back since. */
const IMPLAUSIBLE_WAIT_MS = 3600_000;

export function createWaitingRuns(db: Database, clock: Clock): WaitingRuns {
  const next = db.prepare(
    `SELECT * FROM runs WHERE state = 'queued'
       AND (not_before_ms IS NULL OR not_before_ms <= @nowMs OR not_before_ms > @nowMs + ${IMPLAUSIBLE_WAIT_MS})
     ORDER BY rank_ms, id LIMIT 1`,
  );
  const ahead = db.prepare(
    `SELECT count(*) AS n FROM runs AS other JOIN runs AS own ON own.id = @id
     WHERE other.state = 'queued' AND (other.rank_ms, other.id) < (own.rank_ms, own.id)`,
  );
  const overdue = db.prepare(
    "SELECT * FROM runs WHERE state = 'queued' AND deadline_ms <= @nowMs ORDER BY rank_ms, id",
  );
  const event = db.prepare(
    `SELECT min(at) AS at FROM (
       SELECT min(deadline_ms) AS at FROM runs WHERE state = 'queued'
       UNION ALL SELECT min(not_before_ms) FROM runs WHERE state = 'queued' AND not_before_ms > @nowMs)`,
  );
  return {
    nextQueued: () => {
      const row = next.get({ nowMs: clock.wallMs() }) as Row | undefined;
      return row === undefined ? undefined : toRun(row);
    },
    countAhead: (id) => Number((ahead.get({ id }) as Row)['n']),
    overdueRuns: () => (overdue.all({ nowMs: clock.wallMs() }) as Row[]).map(toRun),
    nextQueueEventMs: () => {
      const at = (event.get({ nowMs: clock.wallMs() }) as Row)['at'];
      return at === null ? undefined : Number(at);
    },
  };
}
