import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isValid } from 'ulid';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { type Artifacts, createArtifacts } from './artifacts.ts';
import { type OpenProblemKind, openDatabase } from './database.ts';
import { createRuns, type Runs } from './runs.ts';

/**
 * The state of a daemon: its runs and artifacts. Calls of SQLite are synchronous: in WAL mode with
 * `synchronous = NORMAL` a commit does not wait for the disk and takes tens to hundreds of microseconds, so the
 * event loop may make them. Once in about a thousand changed pages SQLite folds its log into the database, which
 * does wait for the disk, some milliseconds. What touches large files is asynchronous.
 * After a successful open, a failing disk makes the methods throw: there is no state left to go on from.
 */
export interface Store extends Runs, Artifacts {
  /** The folder of a run's own files, such as its timeline; made when it is missing. */
  runDirectory(id: string): string;
  /** Where calibrations are kept, so that a variant can use those of another. */
  readonly calibrationFolder: string;
  /** Where outputs of float32 models are kept for comparisons with other variants. */
  readonly outputsFolder: string;
  /** Where outputs of variants are kept, to see whether they still give them. */
  readonly goldenFolder: string;
  /** Where the peaks of this host are kept. */
  readonly peaksFolder: string;
  /** Gives the data directory free. The store must not be used any more. */
  close(): void;
}

/**
 * Opens the store of a data directory, for one process at a time:
 * `state.db`, `artifacts/<hash>.onnx`, `calibration/<key>.json`, `outputs/<key>.outputs`,
 * `golden/<key>.outputs`, `peaks/<key>.json`, `runs/<id>/`, `tmp/`, `lock.db`, `daemon.pid`.
 */
export function openStore(
  dataDir: string,
  clock: Clock = systemClock,
): Result<Store, Problem<OpenProblemKind>> {
  const root = resolve(dataDir);
  const opened = openDatabase(root);
  if (!opened.ok) return opened;
  const { db, close } = opened.value;
  return ok({
    ...createRuns(db, clock),
    ...createArtifacts(db, root, clock),
    runDirectory: (id) => {
      // The id becomes a path: anything else than an id here is a defect of the caller.
      if (!isValid(id)) throw new TypeError(`not a run id: ${id}`);
      const folder = join(root, 'runs', id);
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    calibrationFolder: join(root, 'calibration'),
    outputsFolder: join(root, 'outputs'),
    goldenFolder: join(root, 'golden'),
    peaksFolder: join(root, 'peaks'),
    close,
  });
}
