import { attempt, type Problem, ProblemError, problem } from '../core/problem.ts';
import { err, type Result } from '../core/result.ts';
import {
  type HostRoots,
  listFolder,
  malformed,
  quote,
  readText,
  SYSTEM_ROOTS,
} from '../telemetry/collectors/collector.ts';
import { type CpuList, type CpuListProblem, formatCpuList, parseCpuList } from './cpu-list.ts';

/** The CPUs that are online, from `/sys/devices/system/cpu/online`. */
export function onlineCpus(roots: HostRoots = SYSTEM_ROOTS): Result<CpuList, Problem> {
  return attempt(() => readCpuList(roots, 'online'));
}

/**
 * The CPUs of a list that a user wrote, when a worker can be kept to them: each exists, is online and is one that this
 * process may use itself (its own affinity and its cpuset, `Cpus_allowed_list` of proc(5)). `invalid-cpu-list` otherwise,
 * which names the CPUs. What the kernel does not tell is not checked here; the kernel then refuses.
 */
export function usableCpus(text: string, roots: HostRoots = SYSTEM_ROOTS): Result<CpuList, CpuListProblem> {
  const cpus = parseCpuList(text);
  if (!cpus.ok) return cpus;
  const present = attempt(() => readCpuList(roots, 'present'));
  const online = onlineCpus(roots);
  const allowed = attempt(() => allowedIn(`${roots.procPath}/self/status`, roots));
  const checks: readonly (readonly [Result<CpuList, Problem>, string, string])[] = [
    [present, 'not on this host', 'This host has'],
    [online, 'offline', 'Online are'],
    [allowed, 'not among those that this process may use', 'It may use'],
  ];
  for (const [known, what, has] of checks) {
    if (!known.ok) continue;
    const missing = cpus.value.filter((cpu) => !known.value.includes(cpu));
    if (missing.length === 0) continue;
    const subject = missing.length === 1 ? `CPU ${missing[0]} is` : `CPUs ${formatCpuList(missing)} are`;
    return err(
      problem('invalid-cpu-list', `${subject} ${what}`, {
        hint: `${has} ${formatCpuList(known.value)}; leave the others out of the list`,
      }),
    );
  }
  return cpus;
}

/**
 * The CPUs that a process may really run on: those of all its threads together, since a library can give a thread another
 * affinity than the process was started with. The problem tells that the process is gone or may not be looked at.
 */
export function affinityOf(pid: number, roots: HostRoots = SYSTEM_ROOTS): Result<CpuList, Problem> {
  return attempt(() => {
    const folder = `${roots.procPath}/${pid}/task`;
    const cpus = new Set<number>();
    for (const thread of listFolder(folder)) {
      // A thread may end between the listing and the reading.
      const allowed = attempt(() => allowedIn(`${folder}/${thread}/status`, roots));
      if (allowed.ok) for (const cpu of allowed.value) cpus.add(cpu);
      else if (allowed.error.kind !== 'absent') throw new ProblemError(allowed.error);
    }
    if (cpus.size === 0) throw new ProblemError(problem('absent', `Process ${pid} has no threads any more`));
    return [...cpus].sort((a, b) => a - b);
  });
}

function allowedIn(file: string, roots: HostRoots): CpuList {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readText(roots, file))?.[1];
  if (list === undefined) throw malformed(file, 'expected a field Cpus_allowed_list but found none');
  return cpuListIn(list, file);
}

function readCpuList(roots: HostRoots, name: 'present' | 'online'): CpuList {
  const file = `${roots.sysPath}/devices/system/cpu/${name}`;
  return cpuListIn(readText(roots, file).trim(), file);
}

function cpuListIn(text: string, file: string): CpuList {
  const cpus = parseCpuList(text);
  if (!cpus.ok) throw malformed(file, `expected a CPU list but found ${quote(text)}`, 1);
  return cpus.value;
}
