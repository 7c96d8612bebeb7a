import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Database from 'libsql';
import { type Clock, systemClock } from '../core/clock.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { createHousekeeping, type Housekeeping } from './housekeeping.ts';
import { createRuns, type Runs } from './runs.ts';
import { createWatched, type Watched } from './watched.ts';

/** What can be read of a data directory beside the process that has it. */
export interface ReadableStore
  extends Pick<Runs, 'listRuns' | 'countRuns'>,
    Pick<Housekeeping, 'storedFiles' | 'diskSpace' | 'endedRuns'>,
    Pick<Watched, 'watchedSeries'> {
  close(): void;
}

/** Opens the store of a data directory for reading alone, also while a daemon has it. Problem: `store-unreadable`. */
export function readStore(
  dataDir: string,
  clock: Clock = systemClock,
): Result<ReadableStore, Problem<'store-unreadable'>> {
  const root = resolve(dataDir);
  const file = join(root, 'state.db');
  if (!existsSync(file)) return err(unreadable(file, 'there is none'));
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true });
    const { listRuns, countRuns } = createRuns(db, clock, () => {});
    const { storedFiles, diskSpace, endedRuns } = createHousekeeping(db, root, root);
    const { watchedSeries } = createWatched(db);
    return ok({
      watchedSeries,
      listRuns,
      countRuns,
      storedFiles,
      diskSpace,
      endedRuns,
      close: () => db.close(),
    });
  } catch (error) {
    // What fails to open is a plain Error with an SQLite message and an empty code; a table that is not there is an SqliteError.
    if (!(error instanceof Error && 'code' in error)) throw error;
    return err(unreadable(file, error.message));
  }
}

function unreadable(file: string, reason: string): Problem<'store-unreadable'> {
  return problem('store-unreadable', `the database of the data directory cannot be read: ${reason}`, {
    place: { file },
    hint: 'name the data directory of a daemon with --data-dir; one of another version is brought up to date when its daemon starts',
  });
}
