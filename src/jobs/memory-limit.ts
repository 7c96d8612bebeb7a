import { readFileSync } from 'node:fs';
import { type Problem, problem } from '../core/problem.ts';
import { formatBytes } from '../core/units.ts';
import { type HostRoots, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { collectMemory } from '../telemetry/collectors/memory.ts';

/** A reading takes some 20 µs. A thread touches about 1 GB a second, so it is a quarter of that beyond the limit at most. */
const INTERVAL_MS = 250;

/**
 * What a worker may take of the memory that there is. The rest is for what it takes between two looks at it, for the
 * page cache that its own model is read through, and for this process, which shares its cgroup.
 */
const WORKER_SHARE = 0.8;

/**
 * Four fifths of the memory that the host has available or, where that is less, of what the cgroup v2 of this process is limited
 * to; the latter whole, as its use includes page cache that gives way. Undefined where the kernel tells neither.
 */
export function defaultMemoryLimitBytes(roots: HostRoots = SYSTEM_ROOTS): number | undefined {
  const memory = collectMemory(roots);
  if (!memory.ok) return undefined;
  const { availableBytes, cgroup } = memory.value;
  return Math.floor(Math.min(availableBytes, cgroup?.limitBytes ?? Number.POSITIVE_INFINITY) * WORKER_SHARE);
}

export function memoryLimitExceeded(rssBytes: number, limitBytes: number): Problem<'memory-limit-exceeded'> {
  return problem(
    'memory-limit-exceeded',
    `the worker had ${formatBytes(rssBytes)} of memory resident, more than the ${formatBytes(limitBytes)} that it may have`,
    {
      hint: 'take fewer threads, lanes or samples at a time, or a host with more free memory, or raise the limit',
    },
  );
}

/**
 * Looks at the resident memory of a process (VmRSS of proc(5), files that it has mapped included) every 250 ms and tells
 * once when it is above the limit; that ends the watch. The watch does not keep this process alive.
 * @returns how to end the watch, which has to be done when the process ends, as its pid can be given to another
 */
export function watchResidentMemory(
  pid: number,
  limitBytes: number,
  onExceeded: (rssBytes: number) => void,
  { procPath, intervalMs = INTERVAL_MS }: { readonly procPath?: string; readonly intervalMs?: number } = {},
): () => void {
  const timer = setInterval(() => {
    const rssBytes = residentMemoryBytes(pid, procPath);
    if (rssBytes === null || rssBytes <= limitBytes) return;
    clearInterval(timer);
    onExceeded(rssBytes);
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What a process has resident now (VmRSS). Null for one that has ended, or is a zombie. */
export function residentMemoryBytes(pid: number, procPath: string = SYSTEM_ROOTS.procPath): number | null {
  try {
    const status = readFileSync(`${procPath}/${pid}/status`, 'utf8');
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    // Without /proc, or once the process is gone, there is nothing to hold against the limit.
    return null;
  }
}
