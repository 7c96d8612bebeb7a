import { type Problem, problem } from '../../core/problem.ts';
import { formatBytes } from '../../core/units.ts';
import type { CollectionReport } from './collect-garbage.ts';
import { STORAGE_KINDS } from './plan-collection.ts';

export type ShortageProblem = Problem<'disk-quota-exceeded' | 'disk-space-low'>;

/** Why no run can begin, after all was removed that may be; undefined where there is room. */
export function shortageOf({
  totalBytes,
  quotaBytes: maxBytes,
  freeBytes,
  minFreeBytes,
  after,
  artifactsInUse,
}: CollectionReport): ShortageProblem | undefined {
  if (freeBytes < minFreeBytes) {
    return problem(
      'disk-space-low',
      `${formatBytes(freeBytes)} are free on the disk of the data directory, and ${formatBytes(minFreeBytes)} are to stay free`,
      { hint: 'make room on the disk, or lower storage.minFreeBytes in the settings' },
    );
  }
  if (totalBytes <= maxBytes) return undefined;
  const [largest] = STORAGE_KINDS.toSorted((a, b) => after[b] - after[a]);
  const most = largest === undefined ? '' : `; most of it are ${largest} (${formatBytes(after[largest])})`;
  return problem(
    'disk-quota-exceeded',
    `the data directory takes ${formatBytes(totalBytes)}, and may take ${formatBytes(maxBytes)}${most}`,
    {
      hint: `raise storage.maxBytes in the settings; what is in use is not removed, ${artifactsInUse} artifacts among it`,
    },
  );
}
