import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createConditionsReader } from '../../../src/jobs/read-host-conditions.ts';
import { fixtureHost, hostWith } from '../telemetry/host-tree.ts';

const CPU = 'sys/devices/system/cpu';
const OWN = 'cgroup/system.slice/ptq-agent.service';

function conditionsOf(changes: Readonly<Record<string, string | null>>, cpus?: readonly number[]) {
  return createConditionsReader(hostWith(changes), cpus)();
}

describe('createConditionsReader', () => {
  it('reads counters and clocks of the host, counting each core, package and cgroup once', () => {
    expect(createConditionsReader(fixtureHost)()).toEqual({
      onlineCpus: 4,
      thermalThrottles: 5 + 7 + 11,
      swappedInPages: 1024,
      swappedOutPages: 2048,
      memoryStallSeconds: 0.0008,
      stealSeconds: 5.12,
      meanFrequencyHz: 2.95e9,
      governor: 'performance',
      quotaThrottledPeriods: 23,
      quotaThrottledSeconds: 1.545,
      oomKills: 2,
    });
  });

  it('looks at heat and clock of the CPUs that it is given only', () => {
    expect(createConditionsReader(fixtureHost, [1, 3])()).toMatchObject({
      thermalThrottles: 7 + 11,
      meanFrequencyHz: 3e9,
    });
  });

  it('reads anew each time', () => {
    const host = hostWith({});
    const read = createConditionsReader(host);
    expect(read().oomKills).toBe(2);
    writeFileSync(`${host.procPath}/vmstat`, 'pswpin 1\npswpout 2\noom_kill 3\n');
    writeFileSync(`${host.sysPath}/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count`, '6\n');
    writeFileSync(`${host.cgroupPath}/system.slice/cpu.stat`, 'nr_throttled 4\nthrottled_usec 45000\n');
    expect(read()).toMatchObject({
      swappedInPages: 1,
      swappedOutPages: 2,
      oomKills: 3,
      thermalThrottles: 24,
      quotaThrottledPeriods: 24,
    });
  });

  it('takes clock, governor and heat of a virtual machine, which has none of their files, for unknown', () => {
    const without = [0, 1, 2, 3].flatMap((cpu) => [
      [`${CPU}/cpu${cpu}/cpufreq`, null],
      [`${CPU}/cpu${cpu}/thermal_throttle`, null],
    ]);
    expect(conditionsOf(Object.fromEntries(without))).toMatchObject({
      onlineCpus: 4,
      thermalThrottles: null,
      meanFrequencyHz: null,
      governor: null,
      oomKills: 2,
    });
  });

  it('lists governors that differ between CPUs', () =>
    expect(conditionsOf({ [`${CPU}/cpu2/cpufreq/scaling_governor`]: 'powersave\n' }).governor).toBe(
      'performance, powersave',
    ));

  it('leaves out a CPU whose driver does not know its clock', () =>
    expect(
      conditionsOf({ [`${CPU}/cpu0/cpufreq/scaling_cur_freq`]: '<unknown>\n' }).meanFrequencyHz,
    ).toBeCloseTo(3e9, 0));

  it('asks at most sixteen CPUs for their clocks, spread over all of them', () => {
    const host = hostWith({ [`${CPU}/online`]: '0-63\n' });
    for (let cpu = 0; cpu < 64; cpu += 1) {
      const folder = `${host.sysPath}/devices/system/cpu/cpu${cpu}/cpufreq`;
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/scaling_cur_freq`, cpu % 4 === 0 ? `${(cpu + 1) * 1000}\n` : '9000000\n');
    }
    // CPUs 0, 4 … 60: 31 MHz on average.
    expect(createConditionsReader(host)().meanFrequencyHz).toBe(31e6);
  });

  it('has no quota where no cgroup has one, and none with cgroup v1', () => {
    const usage = 'usage_usec 5\nuser_usec 3\nsystem_usec 2\n';
    expect(conditionsOf({ [`${OWN}/cpu.stat`]: usage, 'cgroup/system.slice/cpu.stat': usage })).toMatchObject(
      { quotaThrottledPeriods: null, quotaThrottledSeconds: null },
    );
    expect(conditionsOf({ 'proc/self/cgroup': '4:cpu:/a\n' }).quotaThrottledPeriods).toBeNull();
    expect(conditionsOf({ 'proc/self/cgroup': null }).quotaThrottledPeriods).toBeNull();
  });

  it('knows nothing of a host that has none of the files, and does not fail', () => {
    const host = hostWith({ proc: null, sys: null, cgroup: null });
    expect(Object.values(createConditionsReader(host)())).toEqual(Array(11).fill(null));
  });

  it('knows nothing of what stopped being there or is no number', () => {
    const host = hostWith({ 'proc/vmstat': 'pswpin many\npswpout -3\n', 'proc/stat': 'nonsense\n' });
    const read = createConditionsReader(host);
    rmSync(host.sysPath, { recursive: true });
    expect(read()).toMatchObject({
      onlineCpus: null,
      stealSeconds: null,
      swappedInPages: null,
      swappedOutPages: null,
      oomKills: null,
      thermalThrottles: null,
      meanFrequencyHz: null,
      governor: null,
    });
  });

  it.skipIf(!existsSync('/proc/vmstat'))('reads the host it runs on (skipped off Linux)', () => {
    const conditions = createConditionsReader()();
    expect(conditions.onlineCpus).toBeGreaterThan(0);
    expect(conditions.swappedInPages).toBeGreaterThanOrEqual(0);
    expect(conditions.stealSeconds).toBeGreaterThanOrEqual(0);
  });
});
