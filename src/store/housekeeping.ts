import { statfs } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Database } from 'libsql';
import type { RunKind, RunState } from '../core/run-terms.ts';
import type { Row } from './database.ts';
import {
  type CacheKind,
  listStoredFiles,
  removeFromCache,
  removeLeftover,
  removeRunFiles,
  type StoredFiles,
} from './stored-files.ts';
import { writing } from './writing.ts';

/** A run that is over, without what it found out. */
export interface EndedRun {
  readonly id: string;
  readonly model: string;
  readonly kind: RunKind;
  readonly state: RunState;
  readonly finishedMs: number;
  /** Whether it ever ran. */
  readonly hasStarted: boolean;
}

/** Of the disk on which a data directory lies. */
export interface DiskSpace {
  /** What a user without privileges can write. */
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

/** What keeps a data directory from growing for ever. */
export interface Housekeeping {
  storedFiles(): Promise<StoredFiles>;
  diskSpace(): Promise<DiskSpace>;
  /** Newest first. */
  endedRuns(): readonly EndedRun[];
  removeFromCache(kind: CacheKind, name: string): Promise<void>;
  /** All but the record. */
  removeRunFiles(id: string): Promise<void>;
  /** @param path of the leftovers of `storedFiles` */
  removeLeftover(path: string): Promise<void>;
  /** Gives the disk what the database no longer needs, some at a time. */
  compact(): Promise<void>;
}

/** So many that the event loop is not held up for more than some milliseconds. */
const PAGES_AT_ONCE = 200;

export function createHousekeeping(db: Database, dataDir: string, temporaryFolder: string): Housekeeping {
  const ended = db.prepare(
    `SELECT id, model, kind, state, finished_ms, started_ms FROM runs WHERE finished_ms IS NOT NULL ORDER BY id DESC`,
  );
  const freePages = db.prepare('SELECT freelist_count AS n FROM pragma_freelist_count');
  return {
    storedFiles: () => listStoredFiles(dataDir),
    diskSpace: async () => {
      const { bavail, blocks, bsize } = await statfs(dataDir);
      return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
    },
    endedRuns: () =>
      (ended.all() as Row[]).map((row) => ({
        id: String(row['id']),
        model: String(row['model']),
        kind: row['kind'] as RunKind,
        state: row['state'] as RunState,
        finishedMs: Number(row['finished_ms']),
        hasStarted: row['started_ms'] !== null,
      })),
    removeFromCache: (kind, name) => removeFromCache(dataDir, temporaryFolder, kind, name),
    removeRunFiles: (id) => removeRunFiles(dataDir, id),
    removeLeftover: (path) => removeLeftover(path, temporaryFolder),
    compact: async () => {
      for (let left = pagesOf(freePages.get()); left > 0; ) {
        writing(() => db.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`));
        const still = pagesOf(freePages.get());
        // A reader of an older state keeps pages from being given back.
        if (still >= left) break;
        left = still;
        await setImmediate();
      }
      writing(() => db.pragma('wal_checkpoint(TRUNCATE)'));
    },
  };
}

function pagesOf(row: unknown): number {
  return Number((row as Row | undefined)?.['n'] ?? 0);
}
