import { join } from 'node:path';
import { listSysfs, readSysfs } from '../../sysfs.ts';
import type { GpuReading } from '../gpu-reading.ts';

/** What a driver tells of one card: its folder below `class/drm` and the GPU's own folder. Nothing, if it tells nothing. */
export type ReadCard = (card: string, device: string) => Partial<GpuReading>;

/** A whole number of an attribute, times a factor to the base unit. Undefined where the driver does not tell it. */
export function sysfsNumber(file: string, factor = 1): number | undefined {
  const text = readSysfs(file);
  return /^-?\d+$/.test(text) ? Number(text) * factor : undefined;
}

/** The folder of a device's sensors (kernel doc hwmon/sysfs-interface.rst). */
export function hwmonFolder(device: string): string | undefined {
  const name = listSysfs(join(device, 'hwmon')).find((entry) => /^hwmon\d+$/.test(entry));
  return name === undefined ? undefined : join(device, 'hwmon', name);
}

/** The input whose label is one of those: `temp2_label` says "junction", `temp2_input` has its value. */
export function labelledInput(
  hwmon: string,
  kind: 'temp' | 'freq',
  label: string,
  factor: number,
): number | undefined {
  for (const entry of listSysfs(hwmon)) {
    if (!entry.startsWith(kind) || !entry.endsWith('_label')) continue;
    if (readSysfs(join(hwmon, entry)) !== label) continue;
    return sysfsNumber(join(hwmon, entry.replace('_label', '_input')), factor);
  }
  return undefined;
}
