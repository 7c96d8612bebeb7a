import type { Database } from 'libsql';
import { ProblemError, problem } from '../core/problem.ts';

/** Result codes of SQLite for a disk that is full, fails, or may not be written. */
const DISK_CODES = /^SQLITE_(?:FULL|IOERR|READONLY)/;

/** Runs what writes. Throws a `ProblemError` of kind `store-not-written` where the disk does not take it. */
export function writing(write: () => unknown): void {
  try {
    write();
  } catch (error) {
    throw refusedByDisk(error);
  }
}

/**
 * Writes all of it or nothing. A full disk makes SQLite roll back by itself, and rolling back again, as the `transaction` of libsql does,
 * would hide why.
 */
export function allOrNothing(db: Database, write: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    write();
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function refusedByDisk(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!DISK_CODES.test(code)) return error;
  return new ProblemError<'store-not-written'>(
    problem('store-not-written', `the data directory cannot be written (${code})`, {
      hint:
        code === 'SQLITE_FULL'
          ? 'make room on its disk'
          : 'see whether its disk is mounted read-only or failing',
    }),
  );
}
