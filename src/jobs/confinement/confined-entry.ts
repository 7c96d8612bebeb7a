import type { ConfinementMode, WorkerSettings } from '../../config/worker-settings.ts';
import { DEFAULT_LIMITS, type WorkerLimits } from './worker-limits.ts';

/** A program for workers and what holds for each of them. */
export interface ConfinedEntry {
  /** The compiled `jobs/worker-main.js`. */
  readonly main: URL;
  /** The compiled `confinement/launch-main.cjs`. */
  readonly launcher: URL;
  readonly mode: ConfinementMode;
  readonly limits: WorkerLimits;
  /** Where each worker gets a folder for temporary files, which goes with it; the system's unless given. */
  readonly temporaryFolder?: string;
  /** Folders beyond which nothing is opened that a task names, whatever links have become of since its paths were checked. */
  readonly roots?: readonly string[];
  /** Where captures leave folders that any system under test may write to. */
  readonly capturesFolder?: string;
}

/** A file alone is run as it is. */
export type WorkerEntry = URL | ConfinedEntry;

export function isConfined(entry: WorkerEntry): entry is ConfinedEntry {
  return !(entry instanceof URL);
}

/** The program of a daemon's workers, by its settings. @param temporaryFolder the daemon's own, which captures use too */
export function entryBySettings(
  entry: ConfinedEntry,
  settings: WorkerSettings,
  folders: {
    readonly temporaryFolder: string;
    readonly capturesFolder: string;
    readonly roots: readonly string[];
  },
): ConfinedEntry {
  const { confinement, maxMemoryBytes, maxOpenFiles, maxFileBytes, maxCpuSeconds, maxSeconds, niceness } =
    settings;
  return {
    ...entry,
    ...folders,
    mode: confinement,
    limits: {
      ...DEFAULT_LIMITS,
      ...(maxMemoryBytes === undefined ? {} : { memoryBytes: maxMemoryBytes }),
      ...(maxOpenFiles === undefined ? {} : { openFiles: maxOpenFiles }),
      ...(maxFileBytes === undefined ? {} : { fileSizeBytes: maxFileBytes }),
      ...(maxCpuSeconds === undefined ? {} : { cpuSeconds: maxCpuSeconds }),
      ...(maxSeconds === undefined ? {} : { wallSeconds: maxSeconds }),
      ...(niceness === undefined ? {} : { niceness }),
    },
  };
}
