import type { Result } from '../core/result.ts';
import type { GpuProblem } from '../telemetry/collectors/gpu/gpu-backend.ts';
import type { GpusReading } from '../telemetry/collectors/gpu/gpu-reading.ts';
import { collectInventory, openInventorySource } from '../telemetry/inventory/collect-inventory.ts';
import type { HostInventory, InventoryGpu } from '../telemetry/inventory/host-inventory.ts';
import { examineGpus } from './gpu-examination.ts';

/** Find out what the host is made of. */
export interface InventoryTask {
  readonly kind: 'inventory';
}

const NVIDIA_BACKENDS: ReadonlySet<string> = new Set(['nvml', 'nvidia-smi', 'node-nvidia-smi']);

/**
 * Runs in a worker process, which may be killed on the way.
 * @param onPart  told what is known by then
 */
export async function takeInventory(
  _task: InventoryTask,
  onPart: (inventory: HostInventory) => void,
): Promise<HostInventory> {
  const inventory = await collectInventory(await openInventorySource(), onPart);
  return withDriversGpus(inventory, await examineGpus({ kind: 'gpu-examination' }));
}

/**
 * The inventory with the GPUs that NVIDIA's driver tells of. The package finds GPUs by `lspci`, which many containers and slim
 * images lack; what it found of other vendors stays.
 */
export function withDriversGpus(
  inventory: HostInventory,
  reading: Result<GpusReading, GpuProblem>,
): HostInventory {
  if (!reading.ok || !NVIDIA_BACKENDS.has(reading.value.backend)) return inventory;
  const { driverVersion, gpus } = reading.value;
  const told = gpus.map(
    ({ name, memory }): InventoryGpu => ({
      vendor: 'NVIDIA',
      model: name,
      ...(driverVersion === undefined ? {} : { driverVersion }),
      ...(memory === undefined ? {} : { memoryBytes: memory.totalBytes }),
    }),
  );
  const others = (inventory.gpus ?? []).filter(({ vendor }) => !/nvidia/i.test(vendor));
  return { ...inventory, gpus: [...told, ...others] };
}
