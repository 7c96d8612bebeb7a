import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownCgroupFolders, rememberCgroupFolders } from '../../../../src/telemetry/collectors/cgroup.ts';
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

describe('rememberCgroupFolders', () => {
  it('follows the process to another cgroup', () => {
    const host = hostWith({ 'proc/self/cgroup': '0::/a/b\n' });
    const folders = rememberCgroupFolders();
    expect(folders(host)).toEqual(['/a/b', '/a', '/'].map((path) => `${host.cgroupPath}${path}`));
    expect(folders(host)).toBe(folders(host));
    writeFileSync(join(host.procPath, 'self/cgroup'), '0::/c\n');
    expect(folders(host)).toEqual(ownCgroupFolders(host));
    expect(folders(host)).toHaveLength(2);
  });
});
