import { describe, expect, it } from 'vitest';
import { create, INVENTORY, series } from './full-metrics.ts';

describe('the inventory', () => {
  it('tells an NVMe drive from other disks', async () => {
    const metrics = create();
    const disks = [...(INVENTORY.disks ?? []), { device: 'sda', model: 'Disk', sizeBytes: 1e12, type: 'HD' }];
    metrics.setInventory({ disks });
    expect(await series(metrics, /^ptq_(host|disk|nvme)/)).toEqual([
      'ptq_disk_info{device="nvme0n1",model="SAMSUNG MZ7",firmware="GDC5",type="NVMe",interface="PCIe"} 1',
      'ptq_disk_info{device="sda",model="Disk",firmware="",type="HD",interface=""} 1',
      'ptq_disk_size_bytes{device="nvme0n1"} 3840000000000',
      'ptq_disk_size_bytes{device="sda"} 1000000000000',
      'ptq_nvme_info{device="nvme0",model="SAMSUNG MZ7",firmware_revision="GDC5"} 1',
    ]);
  });

  it('names an NVMe drive as its health does, by every controller that has it', async () => {
    const metrics = create();
    const [disk] = INVENTORY.disks ?? [];
    if (disk === undefined) throw new Error('expected a disk');
    metrics.setInventory({ disks: [{ ...disk, controllers: ['nvme3', 'nvme7'] }] });
    expect(await series(metrics, /^ptq_nvme/)).toEqual([
      'ptq_nvme_info{device="nvme3",model="SAMSUNG MZ7",firmware_revision="GDC5"} 1',
      'ptq_nvme_info{device="nvme7",model="SAMSUNG MZ7",firmware_revision="GDC5"} 1',
    ]);
  });

  it('shows of the host what could be found out, and nothing where that is nothing', async () => {
    const metrics = create();
    metrics.setInventory({});
    expect(await series(metrics, /^ptq_(host|disk|nvme)/)).toEqual([]);
    metrics.setInventory({ cpu: { model: 'Xeon', sockets: 1, physicalCores: 8 } });
    expect(await series(metrics, /^ptq_(host|disk|nvme)/)).toEqual([
      'ptq_host_info{distribution="",release="",kernel="",architecture="",virtualization="",cpu_model="Xeon"} 1',
      'ptq_host_cpu_sockets 1',
      'ptq_host_cpu_cores 8',
    ]);
  });
});
