import { formatSeconds } from '../../core/units.ts';
import type { BenchSettings } from '../settings.ts';
import { notOnDevice } from '../validity.ts';
import type { VariantRecord } from '../variant-record.ts';
import type { Creep } from './creep.ts';
import type { SoakWindow } from './soak-window.ts';

const SETTLED_SECONDS = 300;

/** What speaks against taking a soak at its word, as sentences: a host that was busy, or a system that could not follow. */
export function soakWarnings(
  windows: readonly SoakWindow[],
  record: Pick<VariantRecord, 'identity' | 'usage'>,
  creep: readonly Creep[],
  { maxOtherCpuCores }: Pick<BenchSettings, 'maxOtherCpuCores'>,
): string[] {
  return [
    ...busyHost(windows, maxOtherCpuCores),
    ...disturbed(windows),
    ...unfinished(windows),
    ...notOnDevice(record),
    ...tooShort(windows, creep),
  ];
}

function busyHost(windows: readonly SoakWindow[], maxOtherCpuCores: number): string[] {
  const busy = windows.filter(({ otherCpuCores }) => (otherCpuCores ?? 0) > maxOtherCpuCores);
  if (busy.length === 0) return [];
  const most = Math.max(...busy.map(({ otherCpuCores }) => otherCpuCores ?? 0));
  return [
    `Other work on the host took more than ${maxOtherCpuCores} CPU cores in ${busy.length} of ` +
      `${windows.length} windows, up to ${most.toFixed(2)}: what creeps may be the host`,
  ];
}

function disturbed(windows: readonly SoakWindow[]): string[] {
  const those = windows.filter(({ disturbances }) => disturbances.length > 0);
  const [first] = those;
  if (first === undefined) return [];
  return [
    `The host disturbed ${those.length} of ${windows.length} windows; window ${first.index}: ${first.disturbances[0]}`,
  ];
}

function unfinished(windows: readonly SoakWindow[]): string[] {
  const those = windows.filter(({ complete, unfinishedQueries }) => complete && unfinishedQueries > 0);
  if (those.length === 0) return [];
  const queries = those.reduce((total, { unfinishedQueries }) => total + unfinishedQueries, 0);
  return [
    `${queries} queries in ${those.length} of ${windows.length} windows were not completed in time: ` +
      'the rate is more than the model can do',
  ];
}

/** Memory of a young process grows, leak or not: with a fast model on Node.js 20 by 24 MiB in its first two minutes. */
function tooShort(windows: readonly SoakWindow[], creep: readonly Creep[]): string[] {
  const last = windows.at(-1);
  const seconds = last === undefined ? 0 : last.startSeconds + last.durationSeconds;
  const isBlamed = creep.some(({ figure, outcome }) => figure === 'resident-memory' && outcome === 'creeps');
  if (!isBlamed || seconds >= SETTLED_SECONDS) return [];
  return [
    `The soak took ${formatSeconds(seconds)}: the heap of a process fills for its first minutes, so memory that grows ` +
      `in less than ${formatSeconds(SETTLED_SECONDS)} may be no leak; soak for longer`,
  ];
}
