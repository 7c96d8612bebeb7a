import { describe, expect, it } from 'vitest';
import { ownCgroupFolders } from '../../../../src/telemetry/collectors/cgroup.ts';
import { fixtureHost, hostWith } from '../host-tree.ts';

describe('ownCgroupFolders', () => {
  it('goes from the own cgroup up to the root', () => {
    const root = fixtureHost.cgroupPath;
    expect(ownCgroupFolders(fixtureHost)).toEqual([
      `${root}/system.slice/ptq-agent.service`,
      `${root}/system.slice`,
      `${root}/`,
    ]);
  });

  it('is the root alone inside a container', () => {
    const host = hostWith({ 'proc/self/cgroup': '0::/\n' });
    expect(ownCgroupFolders(host)).toEqual([`${host.cgroupPath}/`]);
  });

  it.each([
    ['cgroup v1', '4:memory:/a\n1:cpu:/\n'],
    ['a cgroup outside the namespace', '0::/../system.slice\n'],
    ['a kernel without cgroups', null],
  ])('is empty with %s', (_what, text) =>
    expect(ownCgroupFolders(hostWith({ 'proc/self/cgroup': text }))).toEqual([]),
  );
});
