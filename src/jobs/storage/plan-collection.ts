import type { StorageSettings } from '../../config/storage-settings.ts';
import type { EndedRun } from '../../store/housekeeping.ts';
import { CACHE_KINDS, type CacheKind, type StoredFiles, type StoredItem } from '../../store/stored-files.ts';
import { type CollectionReason, leastUsed, type Overdue, overLimits } from './over-limits.ts';

/** What a data directory is made of, as far as the sizes of its parts are told. */
export const STORAGE_KINDS = [
  'artifacts',
  ...CACHE_KINDS,
  'runs',
  'run_files',
  'traces',
  'database',
  'temporary',
] as const;

export type StorageKind = (typeof STORAGE_KINDS)[number];

/** Something to be removed, and why. */
export interface Removal {
  readonly kind: StorageKind;
  /** A hash, the id of a run, the name of a file; of what is left over its path. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly reason: CollectionReason;
}

export interface Holdings {
  readonly files: StoredFiles;
  readonly endedRuns: readonly EndedRun[];
  /** Artifacts that stay whatever the limits say. */
  readonly artifactsInUse: ReadonlySet<string>;
  /** Golden outputs that stay, as models are held to them. */
  readonly goldenInUse: ReadonlySet<string>;
  readonly freeBytes: number;
  /** A run is under way: what its processes make or read stays. */
  readonly isBusy: boolean;
  /** Undefined where the clock is not to be believed. */
  readonly nowMs: number | undefined;
}

type Limits = StorageSettings & { readonly minFreeBytes: number };

/** What to remove. Without a change of the holdings it is the same every time, and nothing once it was done. */
export function planCollection(holdings: Holdings, settings: Limits): readonly Removal[] {
  const { files, endedRuns, artifactsInUse, goldenInUse, isBusy, nowMs } = holdings;
  const runs = overdueRuns(endedRuns, settings, nowMs);
  const goneRuns = new Set(runs.map(({ name }) => name));
  const running = new Set(isBusy ? files.runFiles.map(({ name }) => name) : []);
  for (const { id } of endedRuns) running.delete(id);
  const runFiles = files.runFiles.filter(({ name }) => !goneRuns.has(name) && !running.has(name));
  const unused = files.artifacts.filter(({ name }) => !artifactsInUse.has(name));
  const unpinned = files.caches.golden.filter(({ name }) => !goldenInUse.has(name));
  const caches = isBusy ? [] : CACHE_KINDS;
  const byLimits: readonly Removal[] = [
    ...(isBusy ? [] : files.leftovers).map((name) => leftover(name)),
    ...runs,
    ...removals('run_files', overLimits(runFiles, settings.runFiles, nowMs)),
    ...caches.flatMap((kind) =>
      kind === 'golden'
        ? removals(kind, overLimits(unpinned, settings.golden, nowMs))
        : removals(kind, overLimits(files.caches[kind], settings.caches, nowMs)),
    ),
    ...removals('artifacts', overLimits(unused, settings.artifacts, nowMs)),
  ];
  const sizes = new Map(files.runFiles.map(({ name, sizeBytes }) => [name, sizeBytes]));
  const planned = new Set(byLimits.map(({ kind, name }) => `${kind} ${name}`));
  const freed = byLimits.reduce(
    (sum, { kind, name, sizeBytes }) => sum + (kind === 'runs' ? (sizes.get(name) ?? 0) : sizeBytes),
    0,
  );
  let lackingBytes = lack(holdings, settings) - freed;
  const byQuota: Removal[] = [];
  // What costs least to make again goes first; a timeline cannot be made again.
  const order: readonly (readonly [StorageKind, readonly StoredItem[]])[] = [
    ...caches
      .filter((kind) => kind !== 'golden' && kind !== 'peaks' && kind !== 'searches')
      .map((kind) => [kind, files.caches[kind]] as const),
    ['artifacts', unused],
    // Hours of work.
    ['searches', isBusy ? [] : files.caches.searches],
    ['run_files', runFiles],
  ];
  for (const [kind, items] of order) {
    if (lackingBytes <= 0) break;
    const chosen = leastUsed(
      items.filter(({ name }) => !planned.has(`${kind} ${name}`)),
      lackingBytes,
    );
    byQuota.push(
      ...removals(
        kind,
        chosen.map((item) => ({ item, reason: 'quota' as const })),
      ),
    );
    lackingBytes -= chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
  return [...byLimits, ...byQuota];
}

/** How many bytes have to go for the quota and the free space. */
function lack({ files, freeBytes }: Holdings, { maxBytes, minFreeBytes }: Limits): number {
  return Math.max(totalBytes(usageOf(files)) - maxBytes, minFreeBytes - freeBytes);
}

export type StorageUsage = Readonly<Record<StorageKind, number>>;

export function usageOf(files: StoredFiles): StorageUsage {
  const sum = (items: readonly StoredItem[]) => items.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const caches = Object.fromEntries(CACHE_KINDS.map((kind) => [kind, sum(files.caches[kind])])) as Record<
    CacheKind,
    number
  >;
  return {
    artifacts: sum(files.artifacts),
    ...caches,
    runs: files.recordBytes,
    run_files: sum(files.runFiles),
    traces: files.traceBytes,
    database: files.databaseBytes,
    temporary: files.temporaryBytes,
  };
}

export function totalBytes(usage: StorageUsage): number {
  return STORAGE_KINDS.reduce((sum, kind) => sum + usage[kind], 0);
}

/**
 * Of each model the newest runs stay whatever the limits say: its figures, its variants in use and the reason for its next run come
 * from them.
 */
function overdueRuns(
  ended: readonly EndedRun[],
  { runs: limits }: Limits,
  nowMs: number | undefined,
): readonly Removal[] {
  return groupBy(ended, ({ model }) => model).flatMap((ofModel) => {
    const needed = neededRuns(ofModel);
    const items = ofModel
      .filter(({ id }) => !needed.has(id))
      .map(({ id, finishedMs }) => ({ name: id, sizeBytes: 0, usedMs: finishedMs }));
    return removals('runs', overLimits(items, limits, nowMs));
  });
}

/** @param ofModel the newest first */
function neededRuns(ofModel: readonly EndedRun[]): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const ofKind of groupBy(ofModel, ({ kind }) => kind)) {
    const started = ofKind.filter(({ hasStarted }) => hasStarted);
    for (const { id } of started.slice(0, 2)) needed.add(id);
    const good = started.find(({ state }) => state === 'succeeded');
    if (good !== undefined) needed.add(good.id);
  }
  return needed;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function removals(kind: StorageKind, overdue: readonly Overdue<StoredItem>[]): readonly Removal[] {
  return overdue.map(({ item: { name, sizeBytes }, reason }) => ({ kind, name, sizeBytes, reason }));
}

function leftover(path: string): Removal {
  return { kind: 'temporary', name: path, sizeBytes: 0, reason: 'leftover' };
}
