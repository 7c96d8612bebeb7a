import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { attempt, type Problem, ProblemError, type ProblemPlace, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { MIGRATIONS } from './migrations.ts';

export type OpenProblemKind =
  | 'data-dir-not-writable'
  | 'data-dir-in-use'
  | 'store-corrupt'
  | 'store-too-new'
  | 'store-unusable';

/** The open database of one data directory, which no other process writes to until it is closed. */
export interface OpenDatabase {
  readonly db: Database.Database;
  close(): void;
}

/** One row by column name; libsql adds a `_metadata` of its own, hence no spreading of rows. */
export type Row = Readonly<Record<string, unknown>>;

const FOLDERS = ['artifacts', 'runs', 'tmp'] as const;

/** Waiting for a lock would stop the event loop, and nothing but a stray tool can hold one. */
const BUSY_TIMEOUT_MS = 100;

/**
 * Opens `<dataDir>/state.db`, making the directory and the tables where they are missing. A database that
 * cannot be used is a problem and stays as it is: nothing is deleted or repaired.
 */
export function openDatabase(dataDir: string): Result<OpenDatabase, Problem<OpenProblemKind>> {
  return attempt(() => {
    makeWritable(dataDir);
    const releaseLock = acquireLock(dataDir);
    try {
      const db = openState(join(dataDir, 'state.db'));
      return {
        db,
        close: () => {
          // Folds the log into the database, so that a copy of state.db alone is complete.
          db.pragma('wal_checkpoint(TRUNCATE)');
          db.close();
          releaseLock();
        },
      };
    } catch (error) {
      releaseLock();
      throw error;
    }
  });
}

function makeWritable(dataDir: string): void {
  try {
    for (const folder of FOLDERS) mkdirSync(join(dataDir, folder), { recursive: true });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ProblemError<OpenProblemKind>(
      problem('data-dir-not-writable', `the data directory cannot be written to (${code})`, {
        place: { file: dataDir },
        hint: 'name another directory with --data-dir, or give this user the right to write there',
      }),
    );
  }
}

/**
 * Takes the right to write to the directory: a transaction that stays open on a small database of its own.
 * The kernel ends it with the process, however that dies, so no stale lock is left; and `state.db` itself
 * stays readable for other processes. Returns what gives the right back.
 */
function acquireLock(dataDir: string): () => void {
  const file = join(dataDir, 'lock.db');
  const pidFile = join(dataDir, 'daemon.pid');
  const lock = sqlite({ file }, () => new Database(file, { timeout: 0 }));
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN IMMEDIATE');
    writeFileSync(pidFile, `${process.pid}\n`);
    return () => {
      // A closed connection of libsql stays open until its statements are collected, and a transaction with it.
      lock.exec('ROLLBACK');
      lock.close();
    };
  } catch (error) {
    lock.close();
    if (!(error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY'))) {
      throw asProblem(error, { file });
    }
    throw new ProblemError<OpenProblemKind>(
      problem('data-dir-in-use', `another ptq-agent uses the data directory${holder(pidFile)}`, {
        place: { file: dataDir },
        hint: 'stop it, or name another directory with --data-dir',
      }),
    );
  }
}

function holder(pidFile: string): string {
  try {
    return ` (process ${Number.parseInt(readFileSync(pidFile, 'utf8'), 10)})`;
  } catch {
    return '';
  }
}

function openState(file: string): Database.Database {
  const place = { file };
  const db = sqlite(place, () => new Database(file, { timeout: BUSY_TIMEOUT_MS }));
  try {
    sqlite(place, () => {
      // NORMAL: commits do not wait for the disk, only checkpoints do. A crash of the process loses nothing; a power failure can lose the
      // last commits, never the database.
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = NORMAL');
      const report = db.pragma('quick_check(1)') as readonly Row[];
      if (report[0]?.['quick_check'] !== 'ok') throw corrupt(file, String(report[0]?.['quick_check']));
      migrate(db, file);
    });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: Database.Database, file: string): void {
  const [row] = db.pragma('user_version') as readonly Row[];
  const version = Number(row?.['user_version']);
  if (version > MIGRATIONS.length) {
    throw new ProblemError<OpenProblemKind>(
      problem(
        'store-too-new',
        `the database has version ${version}, this ptq-agent knows ${MIGRATIONS.length}`,
        {
          place: { file },
          hint: 'run the newer ptq-agent that wrote it, or name another directory with --data-dir',
        },
      ),
    );
  }
  MIGRATIONS.slice(version).forEach((statements, index) => {
    // One transaction for a step and its number: a crash leaves either both or none.
    db.exec(`BEGIN; ${statements} PRAGMA user_version = ${version + index + 1}; COMMIT;`);
  });
}

/** Runs what calls SQLite; its errors become problems that name the file. */
function sqlite<T>(place: ProblemPlace & { readonly file: string }, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asProblem(error, place);
  }
}

function asProblem(error: unknown, place: ProblemPlace & { readonly file: string }): unknown {
  // What fails to open is a plain Error with an SQLite message and an empty code.
  if (!(error instanceof Error && 'code' in error) || error instanceof ProblemError) return error;
  if (error.code === 'SQLITE_NOTADB' || error.code === 'SQLITE_CORRUPT')
    return corrupt(place.file, error.message);
  return new ProblemError<OpenProblemKind>(
    problem('store-unusable', `the database cannot be opened: ${error.message}`, {
      place,
      hint: 'check the file, its rights and the free space of its disk',
    }),
  );
}

function corrupt(file: string, detail: string): ProblemError<OpenProblemKind> {
  return new ProblemError(
    problem('store-corrupt', `the database is damaged: ${detail}`, {
      place: { file },
      hint: 'move this file and its -wal file away, or restore a copy; a new one is made at the next start, artifacts are kept',
    }),
  );
}
