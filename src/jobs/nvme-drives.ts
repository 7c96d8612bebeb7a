import { join } from 'node:path';
import { listSysfs, readSysfs } from '../telemetry/collectors/sysfs.ts';

/** An NVMe controller with its namespaces. */
export interface NvmeDrive {
  /** `nvme0`. */
  readonly name: string;
  readonly model: string;
  readonly firmware: string;
  /** `pcie`, or how else it is attached, such as `tcp`. */
  readonly transport: string;
  /** Of all namespaces. */
  readonly sizeBytes: number;
}

/** Sizes of block devices are in sectors of 512 bytes, whatever the drive's are. */
const SECTOR_BYTES = 512;

/** The drives below /sys/class/nvme; none where there is no such folder. Source: Linux, drivers/nvme/host/sysfs.c. */
export function readNvmeDrives(sysPath: string): readonly NvmeDrive[] {
  const folder = join(sysPath, 'class/nvme');
  return listSysfs(folder)
    .filter((name) => /^nvme\d+$/.test(name))
    .map((name) => {
      const controller = join(folder, name);
      const namespaces = listSysfs(controller).filter((entry) => /^nvme\d+(c\d+)?n\d+$/.test(entry));
      const sectors = namespaces.map((namespace) => Number(readSysfs(join(controller, namespace, 'size'))));
      return {
        name,
        model: readSysfs(join(controller, 'model')),
        firmware: readSysfs(join(controller, 'firmware_rev')),
        transport: readSysfs(join(controller, 'transport')),
        sizeBytes: sectors.reduce((total, count) => total + count, 0) * SECTOR_BYTES,
      };
    });
}
