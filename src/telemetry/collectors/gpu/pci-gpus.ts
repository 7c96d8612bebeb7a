import { join } from 'node:path';
import { linkedName, listSysfs, readSysfs } from '../sysfs.ts';

/** A display controller or accelerator on the PCI bus, whether or not anything can use it. */
export interface PciGpu {
  /** `0000:41:00.0`. */
  readonly address: string;
  /** A name that is known, or the vendor's number. */
  readonly vendor: string;
  /** `10de:2330`, vendor and device, by which the PCI ID list names it. */
  readonly id: string;
  /** The kernel's driver; absent where none took it. */
  readonly driver?: string;
}

const VENDORS: Readonly<Record<string, string>> = { '10de': 'NVIDIA', '1002': 'AMD', '8086': 'Intel' };

/** Base classes 3, display controller, and 12, processing accelerator. Source: PCI Code and ID Assignment Specification. */
const GPU_CLASSES = /^0x(03|12)/;

/** The controllers below /sys/bus/pci/devices; none where the kernel shows no bus. */
export function readPciGpus(sysPath: string): readonly PciGpu[] {
  const folder = join(sysPath, 'bus/pci/devices');
  return listSysfs(folder).flatMap((address) => {
    const device = join(folder, address);
    if (!GPU_CLASSES.test(readSysfs(join(device, 'class')))) return [];
    const vendorId = readSysfs(join(device, 'vendor')).replace(/^0x/, '');
    const driver = linkedName(join(device, 'driver'));
    return {
      address,
      vendor: VENDORS[vendorId] ?? `vendor ${vendorId}`,
      id: `${vendorId}:${readSysfs(join(device, 'device')).replace(/^0x/, '')}`,
      ...(driver === undefined ? {} : { driver }),
    };
  });
}
