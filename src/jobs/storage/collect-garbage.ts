import { basename } from 'node:path';
import type { Profile } from '../../config/profile.ts';
import type { StorageSettings } from '../../config/storage-settings.ts';
import { asError } from '../../core/as-error.ts';
import { attemptAsync } from '../../core/problem.ts';
import type { DiskSpace } from '../../store/housekeeping.ts';
import type { Store } from '../../store/store.ts';
import { CACHE_KINDS, type CacheKind } from '../../store/stored-files.ts';
import type { PipelineResult } from '../pipeline.ts';
import { pinsOf } from '../watching/watch-memory.ts';
import { planCollection, type Removal, type StorageUsage, totalBytes, usageOf } from './plan-collection.ts';

/** What a look at the data directory found, and what was removed of it. */
export interface CollectionReport {
  /** Before anything was removed. */
  readonly before: StorageUsage;
  readonly after: StorageUsage;
  readonly totalBytes: number;
  readonly quotaBytes: number;
  readonly freeBytes: number;
  readonly minFreeBytes: number;
  readonly artifactsInUse: number;
  readonly removed: readonly Removal[];
  /** Why something could not be removed, one sentence each. */
  readonly failures: readonly string[];
}

type Readable = Pick<
  Store,
  'storedFiles' | 'diskSpace' | 'endedRuns' | 'listRuns' | 'countRuns' | 'watchedSeries'
>;

export type CollectableStore = Readable &
  Pick<
    Store,
    | 'removeArtifact'
    | 'removeRun'
    | 'removeRunFiles'
    | 'removeFromCache'
    | 'removeLeftover'
    | 'compact'
    | 'keepMissingRecords'
  >;

export interface CollectionOptions {
  readonly profiles: readonly Pick<Profile, 'name'>[];
  readonly settings: StorageSettings;
  /** Undefined where the clock is not to be believed: nothing is removed for its age then. */
  readonly nowMs: number | undefined;
}

/** Looks at a data directory and tells what would be removed. */
export async function previewCollection(
  store: Readable,
  { profiles, settings, nowMs }: CollectionOptions,
): Promise<CollectionReport> {
  const files = await store.storedFiles();
  const space = await store.diskSpace();
  const minFreeBytes = settings.minFreeBytes ?? minFreeBytesOf(space);
  const pins = pinsOf(profiles.flatMap(({ name }) => store.watchedSeries(name)));
  const artifactsInUse = new Set([...findArtifactsInUse(profiles, store), ...pins.artifacts]);
  const isBusy = (store.countRuns().running ?? 0) > 0;
  const removed = planCollection(
    {
      files,
      endedRuns: store.endedRuns(),
      artifactsInUse,
      goldenInUse: pins.golden,
      freeBytes: space.freeBytes,
      isBusy,
      nowMs,
    },
    { ...settings, minFreeBytes },
  );
  const before = usageOf(files);
  return {
    before,
    after: before,
    totalBytes: totalBytes(before),
    quotaBytes: settings.maxBytes,
    freeBytes: space.freeBytes,
    minFreeBytes,
    artifactsInUse: artifactsInUse.size,
    removed,
    failures: [],
  };
}

/**
 * Removes what is beyond the limits, and nothing that is in use: artifacts of the last runs of registered models, those that a run or a
 * download holds, and what belongs to a run under way. Whenever it is killed, each thing is there whole or is a leftover of the next time.
 */
export async function collectGarbage(
  store: CollectableStore,
  options: CollectionOptions,
): Promise<CollectionReport> {
  const planned = await previewCollection(store, options);
  const removed: Removal[] = [];
  const failures: string[] = [];
  for (const removal of planned.removed) {
    try {
      if (await remove(removal, store)) removed.push(removal);
    } catch (error) {
      failures.push(`${removal.kind} ${removal.name}: ${asError(error).message}`);
    }
  }
  const tidied = await attemptAsync(async () => {
    await store.compact();
    store.keepMissingRecords(MOST_RECORDS);
  });
  if (!tidied.ok) failures.push(tidied.error.message);
  const [files, { freeBytes }] = [await store.storedFiles(), await store.diskSpace()];
  const after = usageOf(files);
  return { ...planned, after, totalBytes: totalBytes(after), freeBytes, removed, failures };
}

/** What stays free unless somebody says how much: 1 GiB, or a twentieth of a disk that is smaller than 20. */
export function minFreeBytesOf({ sizeBytes }: DiskSpace): number {
  return Math.min(2 ** 30, Math.floor(sizeBytes / 20));
}

/** Copies of rows that earlier versions did not make, at a time. */
const MOST_RECORDS = 200;

/** Whether it was removed: what somebody holds was not. */
async function remove({ kind, name }: Removal, store: CollectableStore): Promise<boolean> {
  switch (kind) {
    case 'artifacts':
      return store.removeArtifact(name);
    case 'runs':
      await store.removeRun(name);
      return true;
    case 'run_files':
      await store.removeRunFiles(name);
      return true;
    case 'temporary':
      await store.removeLeftover(name);
      return true;
    default:
      if (!(CACHE_KINDS as readonly string[]).includes(kind)) return false;
      await store.removeFromCache(kind as CacheKind, name);
      return true;
  }
}

/** How many of a model's last runs are looked at for what it uses. */
const FEW = 3;

/** Hashes of the artifacts that the last runs of each registered model used. */
function findArtifactsInUse(
  profiles: readonly Pick<Profile, 'name'>[],
  store: Pick<Store, 'listRuns'>,
): ReadonlySet<string> {
  const inUse = new Set<string>();
  for (const { name } of profiles) {
    const ofModel = { model: name, state: 'succeeded' } as const;
    const runs = [
      ...store.listRuns({ ...ofModel, kind: 'pipeline', limit: 1 }),
      ...store.listRuns({ ...ofModel, limit: FEW }),
    ];
    // A result that another version wrote may have a shape of its own.
    const outcomes = runs.flatMap(({ result }) => (result as Partial<PipelineResult> | null)?.variants ?? []);
    for (const outcome of outcomes) {
      const hash = /^([0-9a-f]{64})\.onnx$/.exec(basename(outcome?.quantization?.output ?? ''))?.[1];
      if (hash !== undefined) inUse.add(hash);
    }
  }
  return inUse;
}
