import type { MetricRegistry } from './families.ts';
import { familyGroup, registerGroups } from './family-table.ts';

/** Of the host's inventory as much as is exported; a part is absent where it could not be found out. */
export interface InventorySnapshot {
  readonly os?: {
    readonly distribution: string;
    readonly release: string;
    readonly kernel: string;
    readonly architecture: string;
    readonly virtualization?: string;
  };
  readonly cpu?: {
    readonly model: string;
    readonly sockets: number;
    readonly physicalCores: number;
  };
  readonly disks?: readonly InventoryDisk[];
}

interface InventoryDisk {
  readonly device: string;
  readonly model: string;
  readonly firmware?: string;
  readonly sizeBytes: number;
  readonly type: string;
  readonly interface?: string;
  readonly controllers?: readonly string[];
}

const HOST = familyGroup({
  items: ({ os, cpu }: InventorySnapshot) => (os === undefined && cpu === undefined ? [] : [{ os, cpu }]),
  labelNames: ['distribution', 'release', 'kernel', 'architecture', 'virtualization', 'cpu_model'],
  labels: ({ os, cpu }) => ({
    distribution: os?.distribution ?? '',
    release: os?.release ?? '',
    kernel: os?.kernel ?? '',
    architecture: os?.architecture ?? '',
    virtualization: os?.virtualization ?? '',
    cpu_model: cpu?.model ?? '',
  }),
  rows: [
    {
      name: 'ptq_host_info',
      type: 'info',
      help: 'What the host is; always 1.',
      value: () => 1,
    },
  ],
});

const CORES = familyGroup({
  items: ({ cpu }: InventorySnapshot) => (cpu === undefined ? [] : [cpu]),
  labelNames: [],
  labels: () => ({}),
  rows: [
    {
      name: 'ptq_host_cpu_sockets',
      type: 'gauge',
      help: 'Processors of the host.',
      value: (cpu) => cpu.sockets,
    },
    {
      name: 'ptq_host_cpu_cores',
      type: 'gauge',
      help: 'Cores of all its processors; each may be several CPUs.',
      value: (cpu) => cpu.physicalCores,
    },
  ],
});

const DISKS = familyGroup({
  items: ({ disks }: InventorySnapshot) => disks ?? [],
  labelNames: ['device', 'model', 'firmware', 'type', 'interface'],
  labels: (disk) => ({
    device: disk.device,
    model: disk.model,
    firmware: disk.firmware ?? '',
    type: disk.type,
    interface: disk.interface ?? '',
  }),
  rows: [
    {
      name: 'ptq_disk_info',
      type: 'info',
      help: 'What a disk is; always 1.',
      value: () => 1,
    },
  ],
});

const SIZES = familyGroup({
  items: ({ disks }: InventorySnapshot) => disks ?? [],
  labelNames: ['device'],
  labels: ({ device }) => ({ device }),
  rows: [
    {
      name: 'ptq_disk_size_bytes',
      type: 'gauge',
      help: 'Capacity of the disk.',
      value: (disk) => disk.sizeBytes,
    },
  ],
});

const NVME = familyGroup({
  items: ({ disks }: InventorySnapshot) =>
    (disks ?? [])
      .filter(({ type }) => type === 'NVMe')
      .flatMap((disk) => controllersOf(disk).map((controller) => ({ ...disk, controller }))),
  labelNames: ['device', 'model', 'firmware_revision'],
  labels: ({ controller, model, firmware = '' }) => ({
    device: controller,
    model,
    firmware_revision: firmware,
  }),
  rows: [
    {
      name: 'ptq_nvme_info',
      type: 'info',
      help: 'What an NVMe drive is, by the name that its health has; always 1.',
      value: () => 1,
    },
  ],
});

/** Health is that of a drive, and not of a namespace of it: `nvme0` of `nvme0n1` where nothing better is known. */
function controllersOf({ device, controllers }: InventoryDisk): readonly string[] {
  return controllers ?? [/^nvme\d+/.exec(device)?.[0] ?? device];
}

/** Registers what the host is made of, and returns what shows it; nothing is shown before. */
export function createInventoryMetrics(registry: MetricRegistry): (inventory: InventorySnapshot) => void {
  return registerGroups<InventorySnapshot>(registry, [HOST, CORES, DISKS, SIZES, NVME]);
}
