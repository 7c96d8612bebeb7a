import type { StoredItem } from '../../store/stored-files.ts';

/** How much of one kind is kept; no limit where a figure is absent. */
export interface KeepLimits {
  readonly maxAgeMs?: number;
  readonly maxCount?: number;
  readonly maxBytes?: number;
}

/** Why something is removed: it was not used for long, others were used since, or there was no room. */
export const COLLECTION_REASONS = ['age', 'count', 'bytes', 'quota', 'leftover'] as const;

export type CollectionReason = (typeof COLLECTION_REASONS)[number];

export interface Overdue<T extends StoredItem> {
  readonly item: T;
  readonly reason: CollectionReason;
}

/**
 * Those that are beyond the limits; of what is used, the last used stays longest. What was used in the future, as the clock was set
 * back, is new. @param nowMs undefined where the clock is not to be believed: nothing is too old then
 */
export function overLimits<T extends StoredItem>(
  items: readonly T[],
  { maxAgeMs, maxCount = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY }: KeepLimits,
  nowMs: number | undefined,
): readonly Overdue<T>[] {
  let [count, bytes] = [0, 0];
  return lastUsedFirst(items).flatMap((item): Overdue<T>[] => {
    if (maxAgeMs !== undefined && nowMs !== undefined && nowMs - item.usedMs > maxAgeMs)
      return [{ item, reason: 'age' }];
    if (count + 1 > maxCount) return [{ item, reason: 'count' }];
    if (bytes + item.sizeBytes > maxBytes) return [{ item, reason: 'bytes' }];
    count += 1;
    bytes += item.sizeBytes;
    return [];
  });
}

/** The least used first, as many as have `bytes` together. */
export function leastUsed<T extends StoredItem>(items: readonly T[], bytes: number): readonly T[] {
  let freed = 0;
  return lastUsedFirst(items)
    .toReversed()
    .filter(({ sizeBytes }) => {
      const isNeeded = freed < bytes && sizeBytes > 0;
      if (isNeeded) freed += sizeBytes;
      return isNeeded;
    });
}

function lastUsedFirst<T extends StoredItem>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => b.usedMs - a.usedMs || (a.name < b.name ? 1 : -1));
}
