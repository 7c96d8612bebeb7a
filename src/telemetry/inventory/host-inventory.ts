/**
 * What the host is made of, as it was found once. A part is absent where it could not be found out. No serial numbers, addresses
 * or names of the host: it goes into results that are passed on, and into metrics.
 */
export interface HostInventory {
  readonly os?: InventoryOs;
  readonly cpu?: InventoryCpu;
  readonly memory?: InventoryMemory;
  readonly disks?: readonly InventoryDisk[];
  readonly gpus?: readonly InventoryGpu[];
}

export interface InventoryOs {
  /** `Debian GNU/Linux`, and its release `12`. */
  readonly distribution: string;
  readonly release: string;
  readonly kernel: string;
  readonly architecture: string;
  /** `KVM` and the like, where this is a virtual machine; a container does not count as one. */
  readonly virtualization?: string;
}

export interface InventoryCpu {
  readonly manufacturer: string;
  readonly model: string;
  readonly sockets: number;
  readonly physicalCores: number;
  readonly logicalCpus: number;
}

export interface InventoryMemory {
  readonly totalBytes: number;
  /** Empty where the firmware shows its tables to root only, or not to a virtual machine. */
  readonly modules: readonly InventoryMemoryModule[];
}

export interface InventoryMemoryModule {
  readonly sizeBytes: number;
  /** `DDR5`. */
  readonly type: string;
  /** Transfers a second, which is what people call the clock of memory. */
  readonly transfersPerSecond?: number;
  readonly ecc?: boolean;
}

export interface InventoryDisk {
  /** `nvme0n1`. */
  readonly device: string;
  readonly model: string;
  readonly firmware?: string;
  readonly sizeBytes: number;
  /** `NVMe`, `SSD`, `HD`. */
  readonly type: string;
  /** `PCIe`, `SATA`, `SAS`. */
  readonly interface?: string;
  /** Of an NVMe drive the names of its health: `nvme0`; two or more where that many ways lead to it. */
  readonly controllers?: readonly string[];
}

export interface InventoryGpu {
  readonly vendor: string;
  readonly model: string;
  readonly driverVersion?: string;
  readonly memoryBytes?: number;
}
