import { setTimeout } from 'node:timers/promises';
import {
  type EnergyInterval,
  type EnergyReading,
  type EnergySource,
  energyBetween,
} from '../benchmark/energy.ts';
import type { Device } from '../core/device.ts';
import { openGpuEnergy } from './gpu-energy.ts';
import { openRaplEnergy } from './rapl-energy.ts';

const IDLE_MS = 1000;

/** What a benchmark takes of energy, by all that counts it. */
export interface BenchEnergy {
  /** Undefined where nothing counts, and where one of them cannot be read now. */
  read(): EnergyReading | undefined;
  /** Leaves out GPUs that this process has no memory of; once the model is loaded. */
  keepUsed(): void;
}

/** The processor packages (RAPL), and of a benchmark on a GPU NVIDIA's GPUs (NVML) besides. */
export function openBenchEnergy(
  device: Device,
  { rapl, gpus }: { readonly rapl: typeof openRaplEnergy; readonly gpus: typeof openGpuEnergy } = {
    rapl: openRaplEnergy,
    gpus: openGpuEnergy,
  },
): BenchEnergy {
  const packages = rapl();
  const boards = device === 'cpu' ? undefined : gpus();
  const sources: EnergySource[] = [packages, boards].flatMap((opened) => (opened?.ok ? [opened.value] : []));
  return {
    read: () => {
      const readings = sources.map((source) => source.read());
      const [first] = readings;
      const counters = readings.flatMap((reading) => (reading.ok ? reading.value.counters : []));
      if (first?.ok !== true || counters.length === 0 || !readings.every(({ ok }) => ok)) return undefined;
      return { atNs: first.value.atNs, counters };
    },
    keepUsed: () => {
      if (boards?.ok) boards.value.keepUsed(process.pid, device !== 'webgpu');
    },
  };
}

/** What the host draws while it does nothing, where something counts that. */
export async function measureIdle(energy: BenchEnergy): Promise<EnergyInterval | null> {
  const before = energy.read();
  if (before === undefined) return null;
  await setTimeout(IDLE_MS);
  const after = energy.read();
  if (after === undefined) return null;
  const used = energyBetween(before, after);
  return used.ok ? used.value : null;
}
