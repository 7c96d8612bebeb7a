import { absoluteCounterFamily, type MetricRegistry } from './families.ts';
import { familyGroup, registerGroups } from './family-table.ts';
import type { HostSnapshot, ProcessMemorySnapshot, ProcessSnapshot } from './host-snapshot.ts';

/** What a worker process is for. Processes are told apart by this alone: a pid is no label. */
export type WorkerRole = 'quantize' | 'evaluate' | 'bench' | 'other';

export interface WorkerMetrics {
  workerStarted(pid: number, role: WorkerRole): void;
  workerEnded(pid: number): void;
  /** What the workers use now. */
  set(snapshot: Pick<HostSnapshot, 'processes' | 'processMemory' | 'gpus'>): void;
  /** Counts what the workers used since the snapshot before; to be called with every snapshot. */
  observe(snapshot: Pick<HostSnapshot, 'processes'>): void;
}

interface RoleProcesses {
  readonly role: WorkerRole;
  readonly processes: readonly ProcessSnapshot[];
}

const NOW = familyGroup({
  items: (roles: { readonly workers: readonly RoleProcesses[] }) => roles.workers,
  labelNames: ['role'],
  labels: ({ role }) => ({ role }),
  rows: [
    {
      name: 'ptq_worker_processes',
      type: 'gauge',
      help: 'Worker processes that run.',
      value: ({ processes }) => processes.length,
    },
    {
      name: 'ptq_worker_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of the workers, what they share counted in each.',
      value: ({ processes }) => sum(processes, ({ rssBytes }) => rssBytes),
    },
    {
      name: 'ptq_worker_threads',
      type: 'gauge',
      help: 'Threads of the workers.',
      value: ({ processes }) => sum(processes, ({ threads }) => threads),
    },
  ],
});

const SHARED = familyGroup({
  items: (source: { readonly shares: readonly MemoryShares[] }) => source.shares,
  labelNames: ['role'],
  labels: ({ role }) => ({ role }),
  rows: [
    {
      name: 'ptq_worker_proportional_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of the workers, what several processes share divided among them (PSS); read every few seconds.',
      value: ({ processes }) => sum(processes, ({ pssBytes }) => pssBytes),
    },
  ],
});

const ON_GPUS = familyGroup({
  items: (source: { readonly onGpus: readonly GpuMemoryOfRole[] }) => source.onGpus,
  labelNames: ['gpu_uuid', 'role'],
  labels: ({ uuid, role }) => ({ gpu_uuid: uuid, role }),
  rows: [
    {
      name: 'ptq_gpu_process_memory_bytes',
      type: 'gauge',
      help: 'Memory of the GPU that our workers hold.',
      value: ({ usedBytes }) => usedBytes,
    },
  ],
});

interface MemoryShares {
  readonly role: WorkerRole;
  readonly processes: readonly ProcessMemorySnapshot[];
}

interface GpuMemoryOfRole {
  readonly uuid: string;
  readonly role: WorkerRole;
  readonly usedBytes: number | undefined;
}

/** Counters of a process, by the names of their metrics. */
const COUNTED = {
  ptq_worker_cpu_seconds_total: {
    help: 'CPU time of workers since the daemon started, from one sample to the next.',
    read: (process: ProcessSnapshot) => process.cpuSeconds,
  },
  ptq_worker_read_bytes_total: {
    help: 'Bytes that workers read from storage since the daemon started, from one sample to the next.',
    read: (process: ProcessSnapshot) => process.io?.readBytes,
  },
  ptq_worker_written_bytes_total: {
    help: 'Bytes that workers wrote to storage since the daemon started, from one sample to the next.',
    read: (process: ProcessSnapshot) => process.io?.writtenBytes,
  },
} as const;

/** Registers what our worker processes use, by role. */
export function createWorkerMetrics(registry: MetricRegistry): WorkerMetrics {
  const setNow = registerGroups<{
    readonly workers: readonly RoleProcesses[];
    readonly shares: readonly MemoryShares[];
    readonly onGpus: readonly GpuMemoryOfRole[];
  }>(registry, [NOW, SHARED, ON_GPUS]);
  const count = createCounters(registry);
  const roles = new Map<number, WorkerRole>();
  return {
    workerStarted: (pid, role) => void roles.set(pid, role),
    workerEnded: (pid) => void roles.delete(pid),
    set: ({ processes, processMemory, gpus }) =>
      setNow({
        workers: byRole(processes ?? [], roles).map(([role, own]) => ({ role, processes: own })),
        shares: byRole(processMemory ?? [], roles).map(([role, own]) => ({ role, processes: own })),
        onGpus: (gpus?.gpus ?? []).flatMap((gpu) =>
          byRole(gpu.processes ?? [], roles).map(([role, own]) => ({
            uuid: gpu.uuid,
            role,
            usedBytes: sum(own, ({ usedBytes }) => usedBytes),
          })),
        ),
      }),
    observe: ({ processes }) => {
      if (processes !== undefined) count(processes, roles);
    },
  };
}

function createCounters(registry: MetricRegistry) {
  const families = Object.entries(COUNTED).map(([name, { help, read }]) => ({
    read,
    family: absoluteCounterFamily({ registry, name, help, labelNames: ['role'] }),
  }));
  let before = new Map<string, ProcessSnapshot>();
  return (processes: readonly ProcessSnapshot[], roles: ReadonlyMap<number, WorkerRole>) => {
    // A pid comes back as another process, which then began at another time.
    const now = new Map(processes.map((process) => [`${process.pid} ${process.startSeconds}`, process]));
    for (const [key, process] of now) {
      const role = roles.get(process.pid);
      if (role === undefined) continue;
      for (const { read, family } of families) {
        const value = read(process);
        if (value === undefined) continue;
        const earlier = before.get(key);
        const growth = value - ((earlier && read(earlier)) ?? 0);
        family.add({ role }, Math.max(0, growth));
      }
    }
    before = now;
  };
}

function byRole<T extends { readonly pid: number }>(
  processes: readonly T[],
  roles: ReadonlyMap<number, WorkerRole>,
): readonly (readonly [WorkerRole, readonly T[]])[] {
  const found = new Map<WorkerRole, T[]>();
  for (const process of processes) {
    const role = roles.get(process.pid);
    if (role !== undefined) found.set(role, [...(found.get(role) ?? []), process]);
  }
  return [...found];
}

/** Undefined where one of them has no value: a part of the sum would pass for all of it. */
function sum<T>(items: readonly T[], read: (item: T) => number | undefined): number | undefined {
  let total = 0;
  for (const item of items) {
    const value = read(item);
    if (value === undefined) return undefined;
    total += value;
  }
  return total;
}
