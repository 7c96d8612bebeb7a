import { describe, expect, it } from 'vitest';
import { collectCgroup } from '../../../../src/telemetry/collectors/cgroup-usage.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

const OWN = 'cgroup/system.slice/ptq-agent.service';

describe('collectCgroup', () => {
  it('reads what the own cgroup uses, may use, and how often it met a limit', () => {
    expect(collectCgroup(fixtureHost)).toEqual({
      ok: true,
      value: {
        memory: {
          currentBytes: 2147483648,
          peakBytes: 3221225472,
          highBytes: 60129542144,
          swapBytes: 1048576,
          highEvents: 12,
          limitEvents: 3,
          oomKills: 1,
        },
        cpu: {
          usageSeconds: 1032.123456,
          quotaCpus: 1.5,
          // The quota above it made it stand still too.
          quota: { throttledPeriods: 23, throttledSeconds: 1.545 },
        },
      },
    });
  });

  it('has the limit of the own cgroup', () => {
    expect(collectCgroup(hostWith({ [`${OWN}/memory.max`]: '4294967296\n' }))).toMatchObject({
      value: { memory: { limitBytes: 4294967296 } },
    });
  });

  it('has no quota where none is set, and none of what an older kernel does not tell', () => {
    const usage = 'usage_usec 5\nuser_usec 3\nsystem_usec 2\n';
    const gone = ['memory.peak', 'memory.high', 'memory.swap.current', 'memory.events'];
    const host = hostWith({
      ...Object.fromEntries(gone.map((name) => [`${OWN}/${name}`, null])),
      [`${OWN}/cpu.stat`]: usage,
      'cgroup/system.slice/cpu.stat': usage,
      [`${OWN}/cpu.max`]: 'max 100000\n',
    });
    expect(collectCgroup(host)).toEqual({
      ok: true,
      value: { memory: { currentBytes: 2147483648 }, cpu: { usageSeconds: 5e-6 } },
    });
  });

  it('has the one controller that there is', () => {
    expect(collectCgroup(hostWith({ [`${OWN}/memory.current`]: null }))).not.toHaveProperty('value.memory');
    expect(collectCgroup(hostWith({ [`${OWN}/cpu.stat`]: null }))).not.toHaveProperty('value.cpu');
  });

  it.each([
    ['cgroup v1 only', { 'proc/self/cgroup': '4:memory:/a\n1:cpu:/\n' }],
    ['a cgroup outside this namespace', { 'proc/self/cgroup': '0::/../other\n' }],
    ['a container without /sys', { cgroup: null }],
    ['a kernel without cgroups', { 'proc/self/cgroup': null }],
  ])('is absent with %s', (_what, changes) => {
    expect(collectCgroup(hostWith(changes))).toMatchObject({ error: { kind: 'absent' } });
  });

  it.each([
    ['memory.peak', 'lots\n', 1],
    ['memory.current', '-1\n', 1],
    ['memory.events', 'low 0\nhigh\n', 2],
    ['memory.events', 'low 0\nhigh -2\n', 2],
    ['cpu.max', '150000\n', 1],
    ['cpu.max', '150000 0\n', 1],
    ['cpu.stat', '\u0000\u0001\n', 1],
  ])('names the file %s that says %j', (name, text, line) => {
    expect(collectCgroup(hostWith({ [`${OWN}/${name}`]: text }))).toMatchObject({
      error: { kind: 'malformed', place: { file: expect.stringContaining(name), line } },
    });
  });
});
