import { readlinkSync } from 'node:fs';
import { attempt } from '../../../core/problem.ts';
import { type Host, listFolder, readTextIfPresent } from '../collector.ts';
import type { GpuProcess } from './gpu-reading.ts';

/** The inode of the first PID namespace of a host. Source: Linux, include/linux/proc_ns.h, PROC_PID_INIT_INO. */
const FIRST_NAMESPACE = 'pid:[4026531836]';

/**
 * Tells which processes of a driver's list are watched ones. Drivers name a process by its pid on the host, newer ones by its
 * pid in the reader's PID namespace (a container has one); both are looked for. A pid on the host can only be known where
 * `host.procPath` is the host's own procfs, whose `NSpid` lists both (proc(5)); else, in a container, a list in which no
 * watched process is found proves nothing, and the answer is undefined.
 */
export class OwnProcesses {
  readonly #hostPids = new Map<number, number | undefined>();
  #isNamespaced: boolean | undefined;
  #watchedPids: readonly number[] = [];

  find(
    listed: readonly GpuProcess[],
    host: Host,
    watchedPids: readonly number[],
  ): readonly GpuProcess[] | undefined {
    if (watchedPids.length === 0) return [];
    this.#isNamespaced ??= isNamespaced(host);
    // A pid may come back as another process, but not while it is watched.
    if (watchedPids.join() !== this.#watchedPids.join()) this.#hostPids.clear();
    this.#watchedPids = watchedPids;
    const found = watchedPids.flatMap((pid) => {
      const names = this.#isNamespaced ? [this.#hostPid(host, pid), pid] : [pid];
      const process = names.flatMap((name) => listed.find((other) => other.pid === name) ?? [])[0];
      return process === undefined ? [] : [{ ...process, pid }];
    });
    const couldTell =
      !this.#isNamespaced || watchedPids.every((pid) => this.#hostPid(host, pid) !== undefined);
    return found.length > 0 || listed.length === 0 || couldTell ? found : undefined;
  }

  #hostPid(host: Host, pid: number): number | undefined {
    if (!this.#hostPids.has(pid)) this.#hostPids.set(pid, findHostPid(host, pid));
    return this.#hostPids.get(pid);
  }
}

function isNamespaced({ procPath }: Host): boolean {
  try {
    return readlinkSync(`${procPath}/self/ns/pid`) !== FIRST_NAMESPACE;
  } catch {
    // A kernel without PID namespaces has no such file.
    return false;
  }
}

/** The process whose pid is this one in our namespace, by its pid on the host: undefined where the procfs is our own. */
function findHostPid(host: Host, pid: number): number | undefined {
  const ownDepth = namespacePids(host, 'self').length;
  if (ownDepth < 2) return undefined;
  const folders = attempt(() => listFolder(host.procPath));
  if (!folders.ok) return undefined;
  for (const folder of folders.value) {
    if (!/^\d+$/.test(folder)) continue;
    const pids = namespacePids(host, folder);
    if (pids.length === ownDepth && pids.at(-1) === pid) return pids[0];
  }
  return undefined;
}

/** From the namespace of the procfs inwards: `NSpid:	4711	17`. */
function namespacePids(host: Host, folder: string): readonly number[] {
  const status = attempt(() => readTextIfPresent(host, `${host.procPath}/${folder}/status`));
  const pids = status.ok ? /^NSpid:([\d\s]*)$/m.exec(status.value ?? '')?.[1] : undefined;
  return pids === undefined ? [] : pids.trim().split(/\s+/).map(Number);
}
