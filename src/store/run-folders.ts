import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from 'libsql';
import { isValid, ulid } from 'ulid';
import { ProblemError, problem } from '../core/problem.ts';
import type { Row } from './database.ts';
import { makeFolder } from './make-folder.ts';
import { RUN_RECORD, recordOf } from './records.ts';
import { allOrNothing, writing } from './writing.ts';

export interface RunFolders {
  /** The folder of a run's own files, such as its timeline; made when it is missing. Throws a `ProblemError`, `output-not-writable`. */
  runDirectory(id: string): string;
  /**
   * Removes a run with its files and the keys of its orders: first the files, so that a crash between leaves a run that can be
   * removed again. Throws a `ProblemError`, `store-not-written`, where the disk does not take it.
   */
  removeRun(id: string): Promise<void>;
}

export interface RunRecordKeeper {
  /** Keeps a copy of a run's row beside its files, whole or not at all. Whether it did: a copy that fails is made another time. */
  keepRecord(id: string): boolean;
  /** Makes the copies that ended runs lack, of some of them. How many it made. */
  keepMissingRecords(most: number): number;
}

export function createRunFolders(
  db: Database,
  dataDir: string,
  temporaryFolder: string,
): RunFolders & RunRecordKeeper {
  const select = db.prepare('SELECT * FROM runs WHERE id = @id');
  const remove = db.prepare('DELETE FROM runs WHERE id = @id');
  const removeKeys = db.prepare('DELETE FROM order_keys WHERE run_id = @id');
  const ended = db.prepare('SELECT id FROM runs WHERE finished_ms IS NOT NULL ORDER BY id DESC');

  const folderOf = (id: string): string => {
    // The id becomes a path: anything else than an id here is a defect of the caller.
    if (!isValid(id)) throw new TypeError(`not a run id: ${id}`);
    return join(dataDir, 'runs', id);
  };
  const runDirectory = (id: string): string => {
    const folder = folderOf(id);
    try {
      makeFolder(folder);
    } catch (error) {
      throw notWritable(folder, error);
    }
    return folder;
  };
  const keepRecord = (id: string): boolean => {
    const row = select.get({ id }) as Row | undefined;
    if (row === undefined) return false;
    try {
      const file = join(temporaryFolder, `${id}.json`);
      writeFileSync(file, recordOf('run', row));
      renameSync(file, join(runDirectory(id), RUN_RECORD));
      return true;
    } catch (error) {
      // The disk is full or read-only.
      if (!(error instanceof ProblemError) && (error as NodeJS.ErrnoException).code === undefined)
        throw error;
      return false;
    }
  };
  return {
    runDirectory,
    keepRecord,
    keepMissingRecords: (most) => {
      const missing = (ended.all() as Row[])
        .map(({ id }) => String(id))
        .filter((id) => !existsSync(join(folderOf(id), RUN_RECORD)));
      return missing.slice(0, most).filter(keepRecord).length;
    },
    removeRun: async (id) => {
      const away = join(temporaryFolder, ulid());
      const folder = folderOf(id);
      if (existsSync(folder)) renameSync(folder, away);
      writing(() =>
        allOrNothing(db, () => {
          removeKeys.run({ id });
          remove.run({ id });
        }),
      );
      await rm(away, { recursive: true, force: true });
    },
  };
}

function notWritable(folder: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new ProblemError(
    problem('output-not-writable', `the folder of the run cannot be made (${code})`, {
      place: { file: folder },
      hint: 'see whether the disk of the data directory is full, failing or mounted read-only',
    }),
  );
}
