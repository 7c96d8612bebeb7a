import { join } from 'node:path';
import { type GpuReading, known } from '../gpu-reading.ts';
import { hwmonFolder, type ReadCard, sysfsNumber } from './attributes.ts';

const MICRO = 1e-6;

/** Where the clock of the graphics engine stands, in MHz: of i915 by age of the kernel, then of xe. */
const CLOCK_FILES = ['gt/gt0/rps_act_freq_mhz', 'gt_act_freq_mhz', 'device/tile0/gt0/freq0/act_freq'];

/**
 * What the drivers i915 and xe tell: the clock, and of a card with sensors energy and power limit (kernel ABI
 * sysfs-driver-intel-i915-hwmon and -xe-hwmon). How busy it is and its memory are told only through perf events.
 */
export const readIntelGpu: ReadCard = (card, device) => {
  const clocks = CLOCK_FILES.map((file) => sysfsNumber(join(card, file), 1e6));
  return known({ ...readSensors(hwmonFolder(device)), clockHertz: clockOf(clocks) }) ?? {};
};

function clockOf(candidates: readonly (number | undefined)[]): GpuReading['clockHertz'] {
  const graphics = candidates.find((candidate) => candidate !== undefined);
  return graphics === undefined ? undefined : { graphics };
}

function readSensors(hwmon: string | undefined): Partial<GpuReading> {
  if (hwmon === undefined) return {};
  const temperature =
    sysfsNumber(join(hwmon, 'temp2_input'), 1e-3) ?? sysfsNumber(join(hwmon, 'temp1_input'), 1e-3);
  return (
    known({
      energyJoules: sysfsNumber(join(hwmon, 'energy1_input'), MICRO),
      powerLimitWatts: sysfsNumber(join(hwmon, 'power1_max'), MICRO),
      temperatureCelsius: temperature === undefined ? undefined : { gpu: temperature },
    }) ?? {}
  );
}
