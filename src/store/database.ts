import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import type { Clock } from '../core/clock.ts';
import { attempt, type Problem, ProblemError, type ProblemPlace, problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { moveDamagedAside } from './damaged-database.ts';
import { makeFolder } from './make-folder.ts';
import { MIGRATIONS } from './migrations.ts';
import { writing } from './writing.ts';

export type OpenProblemKind =
  | 'data-dir-not-writable'
  | 'data-dir-in-use'
  | 'store-corrupt'
  | 'store-foreign'
  | 'store-too-new'
  | 'store-unusable';

/** The open database of one data directory, which no other process writes to until it is closed. */
export interface OpenDatabase {
  readonly db: Database.Database;
  /** The one that was there could not be read and was moved away. */
  readonly damaged?: DamagedDatabase;
  close(): void;
}

export interface DamagedDatabase {
  readonly movedTo: string;
  readonly reason: string;
}

/** One row by column name; libsql adds a `_metadata` of its own, hence no spreading of rows. */
export type Row = Readonly<Record<string, unknown>>;

const FOLDERS = ['artifacts', 'runs', 'tmp'] as const;

/** Waiting for a lock would stop the event loop, and nothing but a stray tool can hold one. */
const BUSY_TIMEOUT_MS = 100;

/** `ptqa`: by it the database is told from those of other programs (SQLite file format, 1.3.17). */
const APPLICATION_ID = 0x70747161;

/** A log that one large transaction made longer is cut to this once its pages are in the database. */
const MAX_LOG_BYTES = 16 * 2 ** 20;

/**
 * Opens `<dataDir>/state.db`, making the directory and the tables where they are missing. A damaged database is moved aside, for a new
 * one to take its place; one of another program or of a newer version is a problem and stays as it is. Nothing is deleted.
 */
export function openDatabase(
  dataDir: string,
  clock: Pick<Clock, 'wallMs'>,
): Result<OpenDatabase, Problem<OpenProblemKind>> {
  return attempt(() => {
    makeWritable(dataDir);
    const releaseLock = acquireLock(dataDir);
    try {
      const { db, damaged } = openOrReplace(join(dataDir, 'state.db'), clock);
      return {
        db,
        ...(damaged === undefined ? {} : { damaged }),
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
    for (const folder of FOLDERS) makeFolder(join(dataDir, folder));
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

function openOrReplace(file: string, clock: Pick<Clock, 'wallMs'>): Pick<OpenDatabase, 'db' | 'damaged'> {
  const opened = attempt<Database.Database, OpenProblemKind>(() => openState(file));
  if (opened.ok) return { db: opened.value };
  if (opened.error.kind !== 'store-corrupt') throw new ProblemError(opened.error);
  const movedTo = moveDamagedAside(file, clock.wallMs());
  return { db: openState(file), damaged: { movedTo, reason: opened.error.message } };
}

function openState(file: string): Database.Database {
  const place = { file };
  const db = sqlite(place, () => new Database(file, { timeout: BUSY_TIMEOUT_MS }));
  try {
    sqlite(place, () => {
      // Before anything is written: what is another program's stays as it is.
      checkOwner(db, file);
      const report = db.pragma('quick_check(1)') as readonly Row[];
      if (report[0]?.['quick_check'] !== 'ok') throw corrupt(file, String(report[0]?.['quick_check']));
      giveSpaceBack(db);
      // NORMAL: commits do not wait for the disk, only checkpoints do. A crash of the process loses nothing; a power failure can lose the
      // last commits, never the database.
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = NORMAL');
      db.pragma(`journal_size_limit = ${MAX_LOG_BYTES}`);
      migrate(db);
    });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Throws for a database that another program made, or a newer version of this one. */
function checkOwner(db: Database.Database, file: string): void {
  const version = numberOf(db, 'user_version');
  const application = numberOf(db, 'application_id');
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as Row[];
  const isOwn =
    application === APPLICATION_ID ||
    // Those that earlier versions made have no id.
    (application === 0 && (tables.length === 0 || tables.some(({ name }) => name === 'runs')));
  if (!isOwn) {
    throw new ProblemError<OpenProblemKind>(
      problem('store-foreign', 'the database is one of another program', {
        place: { file },
        hint: 'name another directory with --data-dir, or move this file away',
      }),
    );
  }
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
}

/** Has the file shrink with what is in it; one that was made otherwise is written anew, once. */
function giveSpaceBack(db: Database.Database): void {
  if (numberOf(db, 'auto_vacuum') === INCREMENTAL) return;
  db.pragma('auto_vacuum = INCREMENTAL');
  if (numberOf(db, 'page_count') === 0) return;
  // On a full disk it stays as it is until the next start.
  attempt(() => writing(() => db.exec('VACUUM')));
}

const INCREMENTAL = 2;

function numberOf(db: Database.Database, pragma: string): number {
  const [row] = db.pragma(pragma) as readonly Row[];
  return Number(row?.[pragma]);
}

function migrate(db: Database.Database): void {
  const version = numberOf(db, 'user_version');
  MIGRATIONS.slice(version).forEach((statements, index) => {
    // One transaction for a step and its number: a crash leaves either both or none.
    db.exec(`BEGIN; ${statements} PRAGMA user_version = ${version + index + 1}; COMMIT;`);
  });
  if (numberOf(db, 'application_id') !== APPLICATION_ID) db.pragma(`application_id = ${APPLICATION_ID}`);
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
      hint: 'it holds nothing but a lock: remove it, and a new one is made at the next start',
    }),
  );
}
