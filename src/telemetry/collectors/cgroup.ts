import { type Host, readSettledIfPresent } from './collector.ts';

/**
 * Folders of the cgroup v2 that this process is in and of those above it, from the innermost to the root of what can be seen
 * (kernel doc cgroup-v2.rst). Empty with cgroup v1, and for a cgroup outside this process's namespace.
 */
export function ownCgroupFolders(host: Host): readonly string[] {
  return foldersOf(host, readMembership(host));
}

/** `ownCgroupFolders` for one who asks again and again: it works them out when the process has moved. */
export function rememberCgroupFolders(): (host: Host) => readonly string[] {
  let known: { readonly membership: string | undefined; readonly folders: readonly string[] } | undefined;
  return (host) => {
    const membership = readMembership(host);
    if (known?.membership !== membership) known = undefined;
    known ??= { membership, folders: foldersOf(host, membership) };
    return known.folders;
  };
}

function readMembership(host: Host): string | undefined {
  return readSettledIfPresent(host, `${host.procPath}/self/cgroup`);
}

function foldersOf(host: Host, membership: string | undefined): readonly string[] {
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
