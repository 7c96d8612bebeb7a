import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCpuClocks } from '../../../../src/telemetry/collectors/cpu-clocks.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

const CPU = 'sys/devices/system/cpu';
const noClocks = Object.fromEntries([0, 1, 2, 3].map((cpu) => [`${CPU}/cpu${cpu}/cpufreq`, null]));
const noHeat = Object.fromEntries([0, 1, 2, 3].map((cpu) => [`${CPU}/cpu${cpu}/thermal_throttle`, null]));

describe('createCpuClocks', () => {
  it('reads the clocks of all CPUs, and throttling of each core and package once', () => {
    expect(createCpuClocks()(fixtureHost, [])).toEqual({
      ok: true,
      value: {
        frequencyHertz: { min: 2.8e9, mean: 2.95e9, max: 3.1e9 },
        throttleEvents: { core: 5 + 7, package: 11 },
      },
    });
  });

  it('reads anew each time, and goes without a CPU that was taken offline', () => {
    const host = hostWith({});
    const collect = createCpuClocks();
    collect(host, []);
    writeFileSync(`${host.sysPath}/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq`, '1000000\n');
    rmSync(`${host.sysPath}/devices/system/cpu/cpu0/cpufreq`, { recursive: true });
    expect(collect(host, [])).toMatchObject({
      value: { frequencyHertz: { min: 1e9, mean: 2.3e9, max: 3e9 } },
    });
  });

  it('takes the clocks of /proc/cpuinfo where there is no cpufreq', () => {
    expect(createCpuClocks()(hostWith(noClocks), [])).toMatchObject({
      value: { frequencyHertz: { min: 2_700_125_000, max: 3_000_125_000 } },
    });
  });

  it('does not read a /proc/cpuinfo of more than 64 CPUs for clocks', () => {
    const host = hostWith(noClocks);
    for (let cpu = 4; cpu < 512; cpu += 1) mkdirSync(`${host.sysPath}/devices/system/cpu/cpu${cpu}`);
    expect(createCpuClocks()(host, [])).toEqual({
      ok: true,
      value: { throttleEvents: { core: 12, package: 11 } },
    });
  });

  it('asks at most 64 of 512 CPUs, spread over all of them', () => {
    const host = hostWith(noHeat);
    for (let cpu = 0; cpu < 512; cpu += 1) {
      const folder = `${host.sysPath}/devices/system/cpu/cpu${cpu}/cpufreq`;
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/scaling_cur_freq`, `${cpu % 8 === 0 ? 1_000_000 + cpu : 9_000_000}\n`);
    }
    expect(createCpuClocks()(host, [])).toEqual({
      ok: true,
      value: { frequencyHertz: { min: 1e9, mean: 1_000_252e3, max: 1_000_504e3 } },
    });
  });

  it('is absent in a container without /sys whose CPU tells no clock', () => {
    const host = hostWith({ sys: null, 'proc/cpuinfo': 'processor : 0\nBogoMIPS : 50.00\n' });
    expect(createCpuClocks()(host, [])).toMatchObject({ error: { kind: 'absent' } });
  });

  it.each(['<unknown>\n', '', '-3\n', '0\n', '\u0000\u0001'])('does not take %j for a clock', (text) => {
    expect(createCpuClocks()(hostWith({ [`${CPU}/cpu0/cpufreq/scaling_cur_freq`]: text }), [])).toMatchObject(
      {
        value: { frequencyHertz: { min: 2.9e9, mean: 3e9, max: 3.1e9 } },
      },
    );
  });
});
