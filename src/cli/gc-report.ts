import { formatBytes } from '../core/units.ts';
import type { CollectionReport } from '../jobs/storage/collect-garbage.ts';
import { STORAGE_KINDS, type StorageKind } from '../jobs/storage/plan-collection.ts';
import { renderTable } from './table.ts';

/** What lies in the data directory, what went of it and why, as text for a person. */
export function renderCollection(report: CollectionReport & { readonly dryRun: boolean }): string {
  const { before, removed, totalBytes, quotaBytes, freeBytes, artifactsInUse, failures, dryRun } = report;
  const rows = STORAGE_KINDS.filter(
    (kind) => before[kind] > 0 || removed.some((one) => one.kind === kind),
  ).map((kind) => [kind, formatBytes(before[kind]), ...removedOf(kind, report)]);
  return [
    renderTable(['what', 'size', dryRun ? 'would go' : 'removed', 'because of'], rows),
    '',
    `${formatBytes(totalBytes)} of ${formatBytes(quotaBytes)}, ${formatBytes(freeBytes)} free on the disk, ${artifactsInUse} artifacts in use`,
    ...failures.map((failure) => `could not be removed: ${failure}`),
  ].join('\n');
}

function removedOf(kind: StorageKind, { removed }: CollectionReport): readonly [string, string] {
  const own = removed.filter((one) => one.kind === kind);
  if (own.length === 0) return ['–', ''];
  const bytes = own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    `${own.length}${bytes === 0 ? '' : ` (${formatBytes(bytes)})`}`,
    [...new Set(own.map(({ reason }) => reason))].join(', '),
  ];
}
