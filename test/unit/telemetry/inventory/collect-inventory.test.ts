import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  collectInventory,
  type InventorySource,
} from '../../../../src/telemetry/inventory/collect-inventory.ts';
import type { HostInventory } from '../../../../src/telemetry/inventory/host-inventory.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const SECRET = 'S3CRET-SERIAL';

/** Answers as the package gives them of a server; only what is read of them, and what must not be passed on. */
const answers = {
  osInfo: {
    distro: 'Debian GNU/Linux',
    release: '12',
    kernel: '6.1.0',
    arch: 'x64',
    hostname: SECRET,
    serial: SECRET,
  },
  system: { virtual: true, virtualHost: 'KVM', serial: SECRET, uuid: SECRET },
  cpu: { manufacturer: 'Intel', brand: 'Xeon® Gold 6430', processors: 2, physicalCores: 64, cores: 128 },
  mem: { total: 549755813888 },
  memLayout: [
    { size: 34359738368, type: 'DDR5', clockSpeed: 4800, ecc: true, serialNum: SECRET },
    { size: 0, type: 'Empty', clockSpeed: 0, ecc: null, serialNum: '' },
    { size: 34359738368, type: 'DDR5', clockSpeed: null, ecc: null, serialNum: SECRET },
  ],
  diskLayout: [
    {
      device: '/dev/nvme10n1',
      name: 'Example 3.84TB',
      firmwareRevision: 'EX1',
      size: 3840755982336,
      type: 'NVMe',
      interfaceType: 'PCIe',
      serialNum: SECRET,
    },
    {
      device: '/dev/nvme2n1',
      name: ' Other ',
      firmwareRevision: '-',
      size: 1000,
      type: 'NVMe',
      interfaceType: '',
    },
  ],
  graphics: {
    controllers: [
      {
        vendor: 'NVIDIA Corporation',
        model: 'GA100',
        name: 'NVIDIA A100 80GB PCIe',
        driverVersion: '550.54.15',
        memoryTotal: 81920,
        vram: 256,
      },
      { vendor: 'ASPEED', model: 'AST2600', vram: null },
    ],
    displays: [{ serial: SECRET }],
  },
};

function sourceOf(changes: Readonly<Record<string, unknown>> = {}): InventorySource {
  const entries = Object.entries({ ...answers, ...changes }).map(([name, value]) => [
    name,
    async () => {
      if (value instanceof Error) throw value;
      return value;
    },
  ]);
  return Object.fromEntries(entries) as InventorySource;
}

describe('collectInventory', () => {
  it('finds what the host is made of, in base units', async () => {
    expect(await collectInventory(sourceOf(), () => {})).toEqual({
      os: {
        distribution: 'Debian GNU/Linux',
        release: '12',
        kernel: '6.1.0',
        architecture: 'x64',
        virtualization: 'KVM',
      },
      cpu: {
        manufacturer: 'Intel',
        model: 'Xeon® Gold 6430',
        sockets: 2,
        physicalCores: 64,
        logicalCpus: 128,
      },
      memory: {
        totalBytes: 2 ** 39,
        modules: [
          { sizeBytes: 2 ** 35, type: 'DDR5', transfersPerSecond: 4.8e9, ecc: true },
          { sizeBytes: 2 ** 35, type: 'DDR5' },
        ],
      },
      disks: [
        { device: 'nvme2n1', model: 'Other', sizeBytes: 1000, type: 'NVMe' },
        {
          device: 'nvme10n1',
          model: 'Example 3.84TB',
          firmware: 'EX1',
          sizeBytes: 3840755982336,
          type: 'NVMe',
          interface: 'PCIe',
        },
      ],
      gpus: [
        {
          vendor: 'NVIDIA Corporation',
          model: 'NVIDIA A100 80GB PCIe',
          driverVersion: '550.54.15',
          memoryBytes: 80 * 2 ** 30,
        },
        { vendor: 'ASPEED', model: 'AST2600' },
      ],
    });
  });

  it('passes on no serial number, nor the name of the host', async () => {
    expect(JSON.stringify(await collectInventory(sourceOf(), () => {}))).not.toContain(SECRET);
  });

  it('tells after each part what is known by then, the GPUs last', async () => {
    const told: string[] = [];
    await collectInventory(sourceOf(), (known) => told.push(Object.keys(known).join(' ')));
    expect(told).toEqual([
      'os',
      'os cpu',
      'os cpu memory',
      'os cpu memory disks',
      'os cpu memory disks gpus',
    ]);
  });

  it.each([
    ['a program that fails', new Error('lsblk: not found')],
    ['nothing at all', undefined],
    ['something else', 'Permission denied'],
  ])('leaves out a part that is %s', async (_what, diskLayout) => {
    const inventory: HostInventory = await collectInventory(sourceOf({ diskLayout }), () => {});
    expect(Object.keys(inventory)).toEqual(['os', 'cpu', 'memory', 'gpus']);
  });

  it('has no modules of memory where there is one entry of no type, as without rights', async () => {
    const memLayout = [{ size: 25276502016, type: '', clockSpeed: 0, ecc: null }];
    expect((await collectInventory(sourceOf({ memLayout }), () => {})).memory?.modules).toEqual([]);
  });

  it('takes numbers that cannot be for unknown, and cuts off what is too long for a name', async () => {
    const cpu = {
      brand: 'x'.repeat(5000),
      manufacturer: null,
      processors: Number.NaN,
      physicalCores: -1,
      cores: 4,
    };
    expect((await collectInventory(sourceOf({ cpu }), () => {})).cpu).toEqual({
      manufacturer: '',
      model: 'x'.repeat(200),
      sockets: 1,
      physicalCores: 4,
      logicalCpus: 4,
    });
  });

  it('says which controllers have an NVMe disk, also where several ways lead to it', async () => {
    const sysPath = temporaryFolder();
    const link = (disk: string, target: string, entries: readonly string[]) => {
      const device = join(sysPath, 'devices', target);
      for (const entry of ['', ...entries]) mkdirSync(join(device, entry), { recursive: true });
      mkdirSync(join(sysPath, 'block', disk), { recursive: true });
      symlinkSync(device, join(sysPath, 'block', disk, 'device'));
    };
    link('nvme10n1', 'nvme4', ['nvme10c4n1', 'hwmon2']);
    link('nvme2n1', 'nvme-subsys2', ['nvme0', 'nvme1', 'nvme2n1', 'power']);
    const { disks } = await collectInventory(sourceOf(), () => {}, { sysPath });
    expect(disks?.map(({ device, controllers }) => [device, controllers])).toEqual([
      ['nvme2n1', ['nvme0', 'nvme1']],
      ['nvme10n1', ['nvme4']],
    ]);
  });
});
