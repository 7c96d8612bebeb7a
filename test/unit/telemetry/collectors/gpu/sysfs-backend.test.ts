import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SysfsBackend } from '../../../../../src/telemetry/collectors/gpu/sysfs/sysfs-backend.ts';
import { hostWith } from '../../host-tree.ts';

const MI300: Readonly<Record<string, string>> = {
  gpu_busy_percent: '93',
  mem_busy_percent: '41',
  mem_info_vram_total: '206141652992',
  mem_info_vram_used: '1073741824',
  product_name: 'AMD Instinct MI300X',
  pcie_replay_count: '3',
  'ras/umc_err_count': 'ue: 0\nce: 2',
  'hwmon/hwmon4/name': 'amdgpu',
  'hwmon/hwmon4/power1_average': '503000000',
  'hwmon/hwmon4/power1_cap': '750000000',
  'hwmon/hwmon4/temp1_label': 'edge',
  'hwmon/hwmon4/temp1_input': '51000',
  'hwmon/hwmon4/temp3_label': 'mem',
  'hwmon/hwmon4/temp3_input': '45500',
  'hwmon/hwmon4/freq1_label': 'sclk',
  'hwmon/hwmon4/freq1_input': '2100000000',
  'hwmon/hwmon4/freq2_label': 'mclk',
  'hwmon/hwmon4/freq2_input': '1300000000',
};

describe('GPUs in sysfs', () => {
  it('of AMD tell how busy they are, their memory and their sensors', () =>
    expect(read(card('card1', '0000:83:00.0', '0x1002', '0x74a1', 'amdgpu', MI300))).toEqual({
      ok: true,
      value: {
        backend: 'sysfs',
        gpus: [
          {
            uuid: '0000:83:00.0',
            index: 0,
            name: 'AMD Instinct MI300X',
            pciBusId: '0000:83:00.0',
            state: 'ok',
            utilizationRatio: 0.93,
            memoryActivityRatio: 0.41,
            memory: { totalBytes: 206141652992, usedBytes: 1073741824, freeBytes: 205067911168 },
            powerWatts: { average: 503 },
            powerLimitWatts: 750,
            temperatureCelsius: { gpu: 51, memory: 45.5 },
            clockHertz: { graphics: 2100e6, memory: 1300e6 },
            pcie: { replays: 3 },
            eccErrors: { correctedVolatile: 2, uncorrectedVolatile: 0 },
          },
        ],
      },
    }));

  it('of Intel tell energy, power limit and clock', () => {
    const arc = card('card0', '0000:03:00.0', '0x8086', '0x56c0', 'i915', {
      'hwmon/hwmon2/energy1_input': '2500000',
      'hwmon/hwmon2/power1_max': '150000000',
      'drm/card0/gt/gt0/rps_act_freq_mhz': '2050',
    });
    const battlemage = card('card1', '0000:04:00.0', '0x8086', '0xe20b', 'xe', {
      'tile0/gt0/freq0/act_freq': '1200',
      'hwmon/hwmon3/temp2_input': '48000',
    });
    expect(read(arc, battlemage)).toMatchObject({
      value: {
        gpus: [
          {
            uuid: '0000:03:00.0',
            name: 'Intel 8086:56c0',
            energyJoules: 2.5,
            powerLimitWatts: 150,
            clockHertz: { graphics: 2050e6 },
          },
          {
            uuid: '0000:04:00.0',
            index: 1,
            clockHertz: { graphics: 1200e6 },
            temperatureCelsius: { gpu: 48 },
          },
        ],
      },
    });
  });

  it('are absent where a card tells nothing, its driver is another, or its values are none', () => {
    const absent = { ok: false, error: { kind: 'absent' } };
    expect(read()).toMatchObject(absent);
    const silent = { product_name: 'a name', gpu_busy_percent: 'busy', 'hwmon/hwmon0/power1_average': '' };
    expect(read(card('card0', '0000:83:00.0', '0x1002', '0x74a1', 'amdgpu', silent))).toMatchObject(absent);
    expect(read(card('card0', '0000:83:00.0', '0x1002', '0x74a1', 'vfio-pci', MI300))).toMatchObject(absent);
  });
});

interface Card {
  readonly name: string;
  readonly address: string;
  readonly driver: string;
  readonly files: Readonly<Record<string, string>>;
}

function card(
  name: string,
  address: string,
  vendor: string,
  id: string,
  driver: string,
  files: Readonly<Record<string, string>>,
): Card {
  return { name, address, driver, files: { class: '0x030000', vendor, device: id, ...files } };
}

function read(...cards: readonly Card[]) {
  const files = cards.flatMap(({ address, files: attributes }) =>
    Object.entries(attributes).map(([path, text]) => [`sys/bus/pci/devices/${address}/${path}`, `${text}\n`]),
  );
  const host = hostWith(Object.fromEntries(files));
  for (const { name, address, driver } of cards) {
    const device = join(host.sysPath, 'bus/pci/devices', address);
    const folder = join(device, 'drm', name);
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(host.sysPath, 'class/drm'), { recursive: true });
    symlinkSync(device, join(folder, 'device'));
    symlinkSync(folder, join(host.sysPath, 'class/drm', name));
    symlinkSync(`../../drivers/${driver}`, join(device, 'driver'));
  }
  return new SysfsBackend().read(host);
}
