import { join } from 'node:path';
import { readSysfs } from '../../sysfs.ts';
import { type GpuReading, known } from '../gpu-reading.ts';
import { hwmonFolder, labelledInput, type ReadCard, sysfsNumber } from './attributes.ts';

const MILLI = 1e-3;
const MICRO = 1e-6;

/**
 * What the driver amdgpu tells (kernel doc gpu/amdgpu/thermal.rst and driver-misc.rst). `pcie_bw` is left out, as reading it
 * waits for a second.
 */
export const readAmdGpu: ReadCard = (_card, device) => {
  const name = readSysfs(join(device, 'product_name'));
  const busy = sysfsNumber(join(device, 'gpu_busy_percent'));
  const memoryBusy = sysfsNumber(join(device, 'mem_busy_percent'));
  const replays = sysfsNumber(join(device, 'pcie_replay_count'));
  const values = known({
    utilizationRatio: busy === undefined ? undefined : busy / 100,
    memoryActivityRatio: memoryBusy === undefined ? undefined : memoryBusy / 100,
    memory: readMemory(device),
    ...readSensors(hwmonFolder(device)),
    pcie: replays === undefined ? undefined : { replays },
    eccErrors: readEcc(device),
  });
  return values === undefined || name === '' ? (values ?? {}) : { ...values, name };
};

function readMemory(device: string): GpuReading['memory'] {
  const totalBytes = sysfsNumber(join(device, 'mem_info_vram_total'));
  const usedBytes = sysfsNumber(join(device, 'mem_info_vram_used'));
  if (totalBytes === undefined || usedBytes === undefined) return undefined;
  return { totalBytes, usedBytes, freeBytes: Math.max(0, totalBytes - usedBytes) };
}

function readSensors(
  hwmon: string | undefined,
): Partial<Pick<GpuReading, 'powerWatts' | 'powerLimitWatts' | 'temperatureCelsius' | 'clockHertz'>> {
  if (hwmon === undefined) return {};
  const number = (file: string, factor: number) => sysfsNumber(join(hwmon, file), factor);
  return (
    known({
      powerWatts: known({
        instant: number('power1_input', MICRO),
        average: number('power1_average', MICRO),
      }),
      powerLimitWatts: number('power1_cap', MICRO),
      temperatureCelsius: known({
        gpu: labelledInput(hwmon, 'temp', 'edge', MILLI) ?? labelledInput(hwmon, 'temp', 'junction', MILLI),
        memory: labelledInput(hwmon, 'temp', 'mem', MILLI),
      }),
      clockHertz: known({
        graphics: labelledInput(hwmon, 'freq', 'sclk', 1),
        memory: labelledInput(hwmon, 'freq', 'mclk', 1),
      }),
    }) ?? {}
  );
}

/** Errors of the memory since the driver was loaded: `ue: 0` and `ce: 3` on a line each (gpu/amdgpu/ras.rst). */
function readEcc(device: string): GpuReading['eccErrors'] {
  const text = readSysfs(join(device, 'ras/umc_err_count'));
  const count = (kind: string) => {
    const digits = new RegExp(`^${kind}: (\\d+)$`, 'm').exec(text)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  return known({ correctedVolatile: count('ce'), uncorrectedVolatile: count('ue') });
}
