import { type DeviceAvailability, deviceAvailability } from '../runtime/devices.ts';
import { thisMachine } from '../runtime/machine.ts';
import { type HostRoots, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { type PciGpu, readPciGpus } from '../telemetry/collectors/gpu/pci-gpus.ts';
import { collectMemory, type MemoryReading } from '../telemetry/collectors/memory.ts';
import { type HostFingerprint, readHostFingerprint } from './host-fingerprint.ts';
import { type NvmeDrive, readNvmeDrives } from './nvme-drives.ts';

/** Read what this host is and has. */
export interface DoctorTask {
  readonly kind: 'doctor';
}

export interface HostFacts {
  readonly host: HostFingerprint;
  /** Absent where the kernel does not tell. */
  readonly memory?: MemoryReading;
  readonly devices: readonly DeviceAvailability[];
  /** What is plugged in; a virtual machine's display is among it. */
  readonly gpus: readonly PciGpu[];
  readonly nvmeDrives: readonly NvmeDrive[];
}

/** Runs in a worker process, as the runtime is loaded to ask what it was built with. */
export function readHost(_task: DoctorTask, roots: HostRoots = SYSTEM_ROOTS): HostFacts {
  const memory = collectMemory(roots);
  return {
    host: readHostFingerprint(),
    ...(memory.ok ? { memory: memory.value } : {}),
    devices: deviceAvailability(thisMachine()),
    gpus: readPciGpus(roots.sysPath),
    nvmeDrives: readNvmeDrives(roots.sysPath),
  };
}
