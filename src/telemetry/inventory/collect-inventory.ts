import type { Systeminformation } from 'systeminformation';
import { type HostRoots, SYSTEM_ROOTS } from '../collectors/collector.ts';
import { linkedName, listSysfs } from '../collectors/sysfs.ts';
import type {
  HostInventory,
  InventoryCpu,
  InventoryDisk,
  InventoryGpu,
  InventoryMemory,
  InventoryOs,
} from './host-inventory.ts';

/** What is used of the package `systeminformation`. It runs programs, some of them in a way that blocks the process. */
export interface InventorySource {
  osInfo(): Promise<Systeminformation.OsData>;
  system(): Promise<Systeminformation.SystemData>;
  cpu(): Promise<Systeminformation.CpuData>;
  mem(): Promise<Systeminformation.MemData>;
  memLayout(): Promise<Systeminformation.MemLayoutData[]>;
  diskLayout(): Promise<Systeminformation.DiskLayoutData[]>;
  graphics(): Promise<Systeminformation.GraphicsData>;
}

/** Loads the package, which takes a third of a second. */
export function openInventorySource(): Promise<InventorySource> {
  return import('systeminformation');
}

const MEBIBYTE = 2 ** 20;

/**
 * Finds out what the host is made of, part by part, and tells after each what is known by then: the last ones ask drives and GPU
 * drivers, which may never answer, so that this belongs into a process that can be killed. A part that fails is left out.
 */
export async function collectInventory(
  source: InventorySource,
  onPart: (inventory: HostInventory) => void,
  { sysPath }: Pick<HostRoots, 'sysPath'> = SYSTEM_ROOTS,
): Promise<HostInventory> {
  let inventory: HostInventory = {};
  const parts: readonly (() => Promise<HostInventory>)[] = [
    async () => ({ os: osOf(await source.osInfo(), await source.system()) }),
    async () => ({ cpu: cpuOf(await source.cpu()) }),
    async () => ({ memory: memoryOf(await source.mem(), await source.memLayout()) }),
    async () => ({ disks: disksOf(await source.diskLayout(), sysPath) }),
    async () => ({ gpus: gpusOf(await source.graphics()) }),
  ];
  for (const read of parts) {
    try {
      inventory = { ...inventory, ...(await read()) };
    } catch {
      // The package fails in many ways, as what it asks for differs between hosts; the other parts are worth having.
      continue;
    }
    onPart(inventory);
  }
  return inventory;
}

function osOf(os: Systeminformation.OsData, system: Systeminformation.SystemData): InventoryOs {
  const virtualization = system.virtual ? text(system.virtualHost) : '';
  return {
    distribution: text(os.distro),
    release: text(os.release),
    kernel: text(os.kernel),
    architecture: text(os.arch),
    ...(virtualization === '' ? {} : { virtualization }),
  };
}

function cpuOf(cpu: Systeminformation.CpuData): InventoryCpu {
  return {
    manufacturer: text(cpu.manufacturer),
    model: text(cpu.brand),
    sockets: positive(cpu.processors) ?? 1,
    physicalCores: positive(cpu.physicalCores) ?? positive(cpu.cores) ?? 1,
    logicalCpus: positive(cpu.cores) ?? 1,
  };
}

function memoryOf(
  memory: Systeminformation.MemData,
  modules: readonly Systeminformation.MemLayoutData[],
): InventoryMemory {
  return {
    totalBytes: positive(memory.total) ?? 0,
    modules: modules.flatMap(({ size, type, clockSpeed, ecc }) => {
      const sizeBytes = positive(size);
      // Without rights to the firmware's tables there is one entry, of all memory and of no type. Empty slots have no size.
      if (sizeBytes === undefined || text(type) === '' || text(type) === 'Empty') return [];
      const megatransfers = positive(clockSpeed);
      return [
        {
          sizeBytes,
          type: text(type),
          ...(megatransfers === undefined ? {} : { transfersPerSecond: megatransfers * 1e6 }),
          ...(typeof ecc === 'boolean' ? { ecc } : {}),
        },
      ];
    }),
  };
}

function disksOf(
  disks: readonly Systeminformation.DiskLayoutData[],
  sysPath: string,
): readonly InventoryDisk[] {
  return disks
    .map((disk) => {
      const firmware = text(disk.firmwareRevision);
      const attachment = text(disk.interfaceType);
      const device = text(disk.device).replace(/^\/dev\//, '');
      const controllers = controllersOf(device, sysPath);
      return {
        device,
        model: text(disk.name),
        ...(firmware === '' ? {} : { firmware }),
        sizeBytes: positive(disk.size) ?? 0,
        type: text(disk.type),
        ...(attachment === '' ? {} : { interface: attachment }),
        ...(controllers.length === 0 ? {} : { controllers }),
      };
    })
    .sort((a, b) => a.device.localeCompare(b.device, 'en', { numeric: true }));
}

const NVME_CONTROLLER = /^nvme\d+$/;

/**
 * The NVMe controllers that have a disk. `device` in sysfs is the one that does, or, where the kernel looks after several ways to a disk
 * (drivers/nvme/host/multipath.c), the subsystem, whose number need be that of no controller, and in which they all are.
 */
function controllersOf(disk: string, sysPath: string): readonly string[] {
  const device = `${sysPath}/block/${disk}/device`;
  const name = linkedName(device);
  if (name !== undefined && NVME_CONTROLLER.test(name)) return [name];
  return listSysfs(device).filter((entry) => NVME_CONTROLLER.test(entry));
}

function gpusOf({ controllers }: Systeminformation.GraphicsData): readonly InventoryGpu[] {
  return controllers.map((gpu) => {
    const driverVersion = text(gpu.driverVersion);
    const mebibytes = positive(gpu.memoryTotal) ?? positive(gpu.vram);
    return {
      vendor: text(gpu.vendor),
      // The driver's own name for it where there is a driver, else that of the PCI list.
      model: text(gpu.name) || text(gpu.model),
      ...(driverVersion === '' ? {} : { driverVersion }),
      ...(mebibytes === undefined ? {} : { memoryBytes: mebibytes * MEBIBYTE }),
    };
  });
}

/** The package's types promise strings that are at times missing, and its sources give `-` for unknown and cut nothing off. */
function text(value: unknown): string {
  const trimmed = typeof value === 'string' ? value.trim() : '';
  return trimmed === '-' || trimmed === 'unknown' ? '' : trimmed.slice(0, MAX_TEXT);
}

const MAX_TEXT = 200;

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}
