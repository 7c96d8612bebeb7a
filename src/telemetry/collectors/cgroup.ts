import { type Host, readSettledIfPresent } from './collector.ts';

/**
 * Folders of the cgroup v2 that this process is in and of those above it, from the innermost to the root of what can be seen
 * (kernel doc cgroup-v2.rst). Empty with cgroup v1, and for a cgroup outside this process's namespace.
 */
export function ownCgroupFolders(host: Host): readonly string[] {
  const membership = readSettledIfPresent(host, `${host.procPath}/self/cgroup`);
  const own = membership === undefined ? undefined : /^0::(\/.*)$/m.exec(membership)?.[1];
  // A path through ".." belongs to a cgroup outside this namespace, whose files are not visible here.
  if (own === undefined || own.includes('/..')) return [];
  const folders: string[] = [];
  for (let path = own === '/' ? '' : own; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    folders.push(`${host.cgroupPath}${path}`);
  }
  folders.push(`${host.cgroupPath}/`);
  return folders;
}
