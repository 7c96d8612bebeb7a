import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { type Artifacts, createArtifacts } from './artifacts.ts';
import { type DamagedDatabase, type OpenProblemKind, openDatabase } from './database.ts';
import { createHousekeeping, type Housekeeping } from './housekeeping.ts';
import { type Indexed, indexRecords } from './records.ts';
import { createRunDurations, type RunDurations } from './run-durations.ts';
import { createRunFolders, type RunFolders, type RunRecordKeeper } from './run-folders.ts';
import { createRuns, type Runs } from './runs.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { createWatched, type Watched } from './watched.ts';

/**
 * The state of a daemon: its runs and artifacts. Calls of SQLite are synchronous: in WAL mode with
 * `synchronous = NORMAL` a commit does not wait for the disk and takes tens to hundreds of microseconds, so the
 * event loop may make them. Once in about a thousand changed pages SQLite folds its log into the database, which
 * does wait for the disk, some milliseconds. What touches large files is asynchronous.
 * After a successful open, a failing disk makes the methods throw: there is no state left to go on from.
 */
export interface Store
  extends Runs,
    RunDurations,
    Artifacts,
    RunFolders,
    Housekeeping,
    Watched,
    Pick<RunRecordKeeper, 'keepMissingRecords'> {
  /** The folder of files in the making, of this process alone. */
  readonly temporaryFolder: string;
  /** Where calibrations are kept, so that a variant can use those of another. */
  readonly calibrationFolder: string;
  /** Where searches of recipes keep what they measured until they are done. */
  readonly searchesFolder: string;
  /** Where outputs of float32 models are kept for comparisons with other variants. */
  readonly outputsFolder: string;
  /** Where outputs of variants are kept, to see whether they still give them. */
  readonly goldenFolder: string;
  /** Where the peaks of this host are kept. */
  readonly peaksFolder: string;
  /** What was wrong when it was opened, and what has been made good. */
  readonly recovery: Recovery;
  /** Gives the data directory free. The store must not be used any more. */
  close(): void;
}

export interface Recovery {
  /** The database that could not be read. */
  readonly damaged?: DamagedDatabase;
  /** What the database did not know, and has learned from the files beside it. */
  readonly indexed: Indexed;
}

/**
 * Opens the store of a data directory, for one process at a time:
 * `state.db`, `artifacts/<hash>.onnx`, `.onnx.data` and `.json`, `calibration/<key>.json`, `outputs/<key>.outputs`,
 * `golden/<key>.outputs`, `peaks/<key>.json`, `searches/<model>-<variant>/`, `runs/<id>/`, `tmp/<id>/`, `lock.db`, `daemon.pid`.
 */
export function openStore(
  dataDir: string,
  clock: Clock = systemClock,
): Result<Store, Problem<OpenProblemKind>> {
  const root = resolve(dataDir);
  const opened = openDatabase(root, clock);
  if (!opened.ok) return opened;
  const { db, damaged, close } = opened.value;
  const indexed = indexRecords(db, root);
  const temporary = makeTemporaryFolder(root);
  const { keepRecord, ...folders } = createRunFolders(db, root, temporary.path);
  return ok({
    ...createRunDurations(db),
    ...createRuns(db, clock, keepRecord),
    ...createArtifacts(db, join(root, 'artifacts'), temporary.path, clock),
    ...folders,
    ...createHousekeeping(db, root, temporary.path),
    ...createWatched(db),
    temporaryFolder: temporary.path,
    calibrationFolder: join(root, 'calibration'),
    searchesFolder: join(root, 'searches'),
    outputsFolder: join(root, 'outputs'),
    goldenFolder: join(root, 'golden'),
    peaksFolder: join(root, 'peaks'),
    recovery: { ...(damaged === undefined ? {} : { damaged }), indexed },
    close: () => {
      temporary.remove();
      close();
    },
  });
}
