import type { BenchSettings } from '../settings.ts';
import type { SutUsage } from '../variant-record.ts';
import type { SoakWindow } from './soak-window.ts';

/** What speaks against taking a soak at its word, as sentences: a host that was busy, or a system that could not follow. */
export function soakWarnings(
  windows: readonly SoakWindow[],
  usage: SutUsage | null,
  { maxOtherCpuCores }: Pick<BenchSettings, 'maxOtherCpuCores'>,
): string[] {
  return [
    ...busyHost(windows, maxOtherCpuCores),
    ...disturbed(windows),
    ...unfinished(windows),
    ...notOnDevice(usage),
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

function notOnDevice(usage: SutUsage | null): string[] {
  const { fellBack = [], isSoftware = false } = usage?.placement ?? {};
  const [first] = fellBack;
  return [
    ...(isSoftware ? ['The device computed on the processor: there is no such device'] : []),
    ...(first === undefined
      ? []
      : [
          `${fellBack.length} nodes did not run on the device, the first of them ${first.node} (${first.provider})`,
        ]),
  ];
}
