import os from 'node:os';
import { readCpuFeatures } from '../runtime/cpu-features.ts';
import { onnxRuntimeVersion } from '../runtime/versions.ts';
import type { HostInventory } from '../telemetry/inventory/host-inventory.ts';
import { agentVersion } from './agent-version.ts';

/** What a figure depends on besides the model: two results are comparable only where these agree. */
export interface HostFingerprint {
  readonly cpuModel: string;
  readonly logicalCpus: number;
  readonly architecture: string;
  /** Instruction sets that decide the speed of int8. */
  readonly cpuFeatures: readonly string[];
  readonly memoryTotalBytes: number;
  readonly kernel: string;
  readonly nodeVersion: string;
  readonly onnxRuntimeVersion: string;
  readonly agentVersion: string;
  /** Sockets, memory, disks, GPUs and their drivers; absent where nobody looked, and in results of older versions. */
  readonly hardware?: HostInventory;
}

/** @param hardware  see `readInventory`; left out where it is empty */
export function readHostFingerprint(hardware: HostInventory = {}): HostFingerprint {
  const cpu = readCpuFeatures();
  return {
    cpuModel: cpu.modelName,
    logicalCpus: cpu.logicalCpus,
    architecture: cpu.architecture,
    cpuFeatures: (['avx2', 'avx512', 'vnni', 'amxInt8'] as const).filter((feature) => cpu[feature]),
    memoryTotalBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    nodeVersion: process.version,
    onnxRuntimeVersion: onnxRuntimeVersion(),
    agentVersion: agentVersion(),
    ...(Object.keys(hardware).length === 0 ? {} : { hardware }),
  };
}
