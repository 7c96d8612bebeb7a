import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNvmeDrives } from '../../../src/jobs/nvme-drives.ts';
import { readPciGpus } from '../../../src/telemetry/collectors/gpu/pci-gpus.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A folder that stands for /sys. */
function sysfs(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

describe('NVMe drives', () => {
  it('are read with the sizes of all their namespaces', () => {
    const sys = sysfs({
      'class/nvme/nvme1/model': 'SAMSUNG MZQL23T8HCLS-00A07              \n',
      'class/nvme/nvme1/firmware_rev': 'GDC5602Q\n',
      'class/nvme/nvme1/transport': 'pcie\n',
      'class/nvme/nvme1/nvme1n1/size': '2048\n',
      'class/nvme/nvme1/nvme1c1n2/size': '2\n',
      'class/nvme/nvme1/hwmon3/name': 'nvme\n',
      'class/nvme/nvme0/model': 'a\n',
    });
    expect(readNvmeDrives(sys)).toEqual([
      { name: 'nvme0', model: 'a', firmware: '', transport: '', sizeBytes: 0 },
      {
        name: 'nvme1',
        model: 'SAMSUNG MZQL23T8HCLS-00A07',
        firmware: 'GDC5602Q',
        transport: 'pcie',
        sizeBytes: 2050 * 512,
      },
    ]);
  });

  it('are none where the kernel lists none', () => expect(readNvmeDrives(temporaryFolder())).toEqual([]));
});

describe('GPUs on the PCI bus', () => {
  it('are display controllers and accelerators, with the driver that took them', () => {
    const device = (address: string, pciClass: string, vendor: string, id: string) => ({
      [`bus/pci/devices/${address}/class`]: `${pciClass}\n`,
      [`bus/pci/devices/${address}/vendor`]: `${vendor}\n`,
      [`bus/pci/devices/${address}/device`]: `${id}\n`,
    });
    const sys = sysfs({
      ...device('0000:00:1f.0', '0x060100', '0x8086', '0x7a04'),
      ...device('0000:41:00.0', '0x030200', '0x10de', '0x2330'),
      ...device('0000:42:00.0', '0x120000', '0x1002', '0x74a1'),
      ...device('0000:43:00.0', '0x030000', '0x1af4', '0x1050'),
      'bus/pci/drivers/nvidia/bind': '',
    });
    symlinkSync('../../drivers/nvidia', join(sys, 'bus/pci/devices/0000:41:00.0/driver'));
    expect(readPciGpus(sys)).toEqual([
      { address: '0000:41:00.0', vendor: 'NVIDIA', id: '10de:2330', driver: 'nvidia' },
      { address: '0000:42:00.0', vendor: 'AMD', id: '1002:74a1' },
      { address: '0000:43:00.0', vendor: 'vendor 1af4', id: '1af4:1050' },
    ]);
  });

  it('are none where there is no bus', () => expect(readPciGpus(temporaryFolder())).toEqual([]));
});
