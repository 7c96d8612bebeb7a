import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'libsql';
import { toJson } from '../core/json.ts';
import type { Row } from './database.ts';
import { isRunId } from './run-id.ts';
import { allOrNothing } from './writing.ts';

/** The copy of a run's row in its folder. */
export const RUN_RECORD = 'record.json';

const FORMATS = { run: 'ptq-agent run 1', artifact: 'ptq-agent artifact 1' } as const;

/**
 * What is kept beside an artifact and in the folder of a run that has ended, so that a database that was lost can learn of it again.
 * @param row as the database has it
 */
export function recordOf(kind: keyof typeof FORMATS, row: Row): string {
  // libsql adds a column of its own; and a database that has lost a run has lost what was watched, too.
  const { _metadata, watched, ...columns } = row;
  return toJson({ format: FORMATS[kind], row: columns });
}

/** How much a database has learned from what lies beside it. */
export interface Indexed {
  readonly runs: number;
  readonly artifacts: number;
}

/**
 * Tells the database of runs and artifacts that lie in the data directory and that it does not know, as it is new or an older copy.
 * A record that cannot be read, or does not fit its file, is left out.
 */
export function indexRecords(db: Database, dataDir: string): Indexed {
  const folders = { runs: join(dataDir, 'runs'), artifacts: join(dataDir, 'artifacts') };
  const runs = namesIn(folders.runs).filter(isRunId);
  const hashes = namesIn(folders.artifacts).flatMap((name) => /^([0-9a-f]{64})\.onnx$/.exec(name)?.[1] ?? []);
  const found = {
    runs: unknownTo(db, 'runs', 'id', runs).flatMap((id) => {
      const row = readRecord(join(folders.runs, id, RUN_RECORD), FORMATS.run);
      return row?.['id'] === id ? [row] : [];
    }),
    artifacts: unknownTo(db, 'artifacts', 'hash', hashes).flatMap((hash) => {
      const row = readRecord(join(folders.artifacts, `${hash}.json`), FORMATS.artifact);
      const sizeBytes = sizeOf(join(folders.artifacts, `${hash}.onnx`));
      return row?.['hash'] === hash && row['size_bytes'] === sizeBytes ? [row] : [];
    }),
  };
  return { runs: insert(db, 'runs', found.runs), artifacts: insert(db, 'artifacts', found.artifacts) };
}

type Table = 'runs' | 'artifacts';

function unknownTo(db: Database, table: Table, key: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const known = db.prepare(`SELECT ${key} AS name FROM ${table}`).all() as Row[];
  const set = new Set(known.map(({ name }) => name));
  return names.filter((name) => !set.has(name));
}

/** Columns that a later version left out are left out here; those that it added have their defaults. */
function insert(db: Database, table: Table, rows: readonly Row[]): number {
  if (rows.length === 0) return 0;
  const columns = (db.pragma(`table_info(${table})`) as Row[]).map(({ name }) => String(name));
  let inserted = 0;
  allOrNothing(db, () => {
    for (const row of rows) {
      const names = columns.filter((name) => row[name] !== undefined);
      const statement = db.prepare(
        `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`,
      );
      try {
        inserted += statement.run(Object.fromEntries(names.map((name) => [name, row[name]]))).changes;
      } catch (error) {
        // A value of another type than the column's.
        if (!isConstraint(error)) throw error;
      }
    }
  });
  return inserted;
}

/** The lowest byte of an extended result code is the primary one. */
function isConstraint(error: unknown): boolean {
  return error instanceof Error && 'rawCode' in error && (Number(error.rawCode) & 0xff) === SQLITE_CONSTRAINT;
}

const SQLITE_CONSTRAINT = 19;

function readRecord(file: string, format: string): Row | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly format?: unknown;
      readonly row?: unknown;
    } | null;
    if (value?.format !== format || typeof value.row !== 'object' || value.row === null) return undefined;
    return value.row as Row;
  } catch {
    // It is not there, or was cut short by a power failure.
    return undefined;
  }
}

function sizeOf(path: string): number | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  return size + (statSync(`${path}.data`, { throwIfNoEntry: false })?.size ?? 0);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
