import { describe, expect, it } from 'vitest';
import { collectMemory } from '../../../../src/telemetry/collectors/memory.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

const OWN = 'cgroup/system.slice/ptq-agent.service';

describe('collectMemory', () => {
  it('reads bytes, counting as cached what `free` prints as buff/cache', () => {
    expect(collectMemory(fixtureHost)).toMatchObject({
      ok: true,
      value: {
        totalBytes: 131072000 * 1024,
        availableBytes: 98765432 * 1024,
        freeBytes: 60123456 * 1024,
        cachedBytes: (204800 + 38000000 + 1500000) * 1024,
        swapTotalBytes: 8388604 * 1024,
        swapFreeBytes: 8388092 * 1024,
      },
    });
  });

  it('is absent on a host without /proc/meminfo', () => {
    expect(collectMemory(hostWith({ 'proc/meminfo': null }))).toMatchObject({ error: { kind: 'absent' } });
  });

  it.each([
    ['an amount that is no number', 'MemTotal: many kB\n', 1, /MemTotal.*"many"/],
    ['another unit', 'MemTotal: 1 kB\nMemAvailable: 5 MB\n', 2, /MemAvailable in kB.*"5 MB"/],
  ])('names file and line of %s', (_what, text, line, message) => {
    expect(collectMemory(hostWith({ 'proc/meminfo': text }))).toMatchObject({
      error: { kind: 'malformed', message: expect.stringMatching(message), place: { line } },
    });
  });

  it('names the field that a kernel before 3.14 does not have', () => {
    const text = 'MemTotal: 10 kB\nMemFree: 5 kB\nBuffers: 0 kB\nCached: 1 kB\nSReclaimable: 0 kB\n';
    expect(collectMemory(hostWith({ 'proc/meminfo': text }))).toMatchObject({
      error: { kind: 'malformed', message: expect.stringContaining('MemAvailable') },
    });
  });
});

describe('cgroup memory', () => {
  function cgroupOf(changes: Readonly<Record<string, string | null>>) {
    const outcome = collectMemory(hostWith(changes));
    return outcome.ok ? outcome.value.cgroup : outcome.error;
  }

  it('is that of the ancestor with a limit when the own cgroup has none', () => {
    expect(cgroupOf({})).toEqual({ currentBytes: 8589934592, limitBytes: 68719476736 });
  });

  it('is that of the cgroup with the least room, not the one with the lowest limit', () => {
    expect(
      cgroupOf({
        [`${OWN}/memory.max`]: '4294967296\n',
        'cgroup/system.slice/memory.current': '68719476000\n',
      }),
    ).toEqual({ currentBytes: 68719476000, limitBytes: 68719476736 });
  });

  it('has no limit when no cgroup on the way up has one', () => {
    expect(cgroupOf({ 'cgroup/system.slice/memory.max': 'max\n' })).toMatchObject({
      currentBytes: 2147483648,
    });
    expect(cgroupOf({ 'cgroup/system.slice/memory.max': 'max\n' })).not.toHaveProperty('limitBytes');
  });

  it('is that of the namespace root inside a container', () => {
    expect(
      cgroupOf({
        'proc/self/cgroup': '0::/\n',
        'cgroup/memory.current': '1000\n',
        'cgroup/memory.max': '5000\n',
      }),
    ).toEqual({ currentBytes: 1000, limitBytes: 5000 });
  });

  it('is absent with cgroup v1, and for a cgroup outside the namespace', () => {
    expect(cgroupOf({ 'proc/self/cgroup': '4:memory:/a\n1:cpu:/\n' })).toBeUndefined();
    expect(cgroupOf({ 'proc/self/cgroup': '0::/../system.slice\n' })).toBeUndefined();
    expect(cgroupOf({ 'proc/self/cgroup': null })).toBeUndefined();
  });

  it('names the file of a limit that is no number', () => {
    expect(cgroupOf({ [`${OWN}/memory.max`]: 'lots\n' })).toMatchObject({
      kind: 'malformed',
      place: { file: expect.stringMatching(/ptq-agent\.service\/memory\.max$/), line: 1 },
    });
  });
});
