import { familyGroup } from './family-table.ts';
import type { HostSnapshot } from './host-snapshot.ts';

const CPU = familyGroup({
  items: ({ cpu }: HostSnapshot) => (cpu === undefined ? [] : [cpu]),
  labelNames: [],
  labels: () => ({}),
  rows: [
    {
      name: 'ptq_host_cpus',
      type: 'gauge',
      help: 'CPUs that are online.',
      value: (cpu) => cpu.cpuCount,
    },
    {
      name: 'ptq_host_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time since boot, summed over CPUs, by the modes of /proc/stat.',
      by: 'mode',
      values: (cpu) => cpu.secondsByMode,
    },
  ],
});

const CPU_CLOCKS = familyGroup({
  items: ({ cpuClocks }: HostSnapshot) => (cpuClocks === undefined ? [] : [cpuClocks]),
  labelNames: [],
  labels: () => ({}),
  rows: [
    {
      name: 'ptq_host_cpu_frequency_hertz',
      type: 'gauge',
      help: 'Clock of the CPUs: of the slowest, on average, of the fastest.',
      by: 'statistic',
      values: (clocks) => clocks.frequencyHertz,
    },
    {
      name: 'ptq_host_cpu_throttle_events_total',
      type: 'counter',
      help: 'Times that heat made cores, or whole packages, slow down, since boot.',
      by: 'scope',
      values: (clocks) => clocks.throttleEvents,
    },
  ],
});

const MEMORY = familyGroup({
  items: ({ memory }: HostSnapshot) => (memory === undefined ? [] : [memory]),
  labelNames: [],
  labels: () => ({}),
  rows: [
    {
      name: 'ptq_host_memory_total_bytes',
      type: 'gauge',
      help: 'Memory of the host.',
      value: (memory) => memory.totalBytes,
    },
    {
      name: 'ptq_host_memory_available_bytes',
      type: 'gauge',
      help: 'Memory that can be allocated without swapping, as the kernel estimates it.',
      value: (memory) => memory.availableBytes,
    },
    {
      name: 'ptq_host_memory_free_bytes',
      type: 'gauge',
      help: 'Memory that nothing uses, not even as a cache.',
      value: (memory) => memory.freeBytes,
    },
    {
      name: 'ptq_host_memory_cached_bytes',
      type: 'gauge',
      help: 'Page cache, buffers and reclaimable slab.',
      value: (memory) => memory.cachedBytes,
    },
    {
      name: 'ptq_host_swap_total_bytes',
      type: 'gauge',
      help: 'Swap space of the host.',
      value: (memory) => memory.swapTotalBytes,
    },
    {
      name: 'ptq_host_swap_free_bytes',
      type: 'gauge',
      help: 'Swap space that nothing uses.',
      value: (memory) => memory.swapFreeBytes,
    },
  ],
});

const PAGING = familyGroup({
  items: ({ paging }: HostSnapshot) => (paging === undefined ? [] : [paging]),
  labelNames: [],
  labels: () => ({}),
  rows: [
    {
      name: 'ptq_host_swapped_pages_total',
      type: 'counter',
      help: 'Pages that came in from swap and went out to it since boot.',
      by: 'direction',
      values: ({ swappedInPages, swappedOutPages }) => ({ in: swappedInPages, out: swappedOutPages }),
    },
    {
      name: 'ptq_host_major_faults_total',
      type: 'counter',
      help: 'Page faults since boot that had to wait for storage.',
      value: (paging) => paging.majorFaults,
    },
    {
      name: 'ptq_host_oom_kills_total',
      type: 'counter',
      help: 'Processes that the kernel killed since boot for lack of memory, in any cgroup.',
      value: (paging) => paging.oomKills,
    },
  ],
});

const CGROUP = familyGroup({
  items: ({ cgroup }: HostSnapshot) => (cgroup === undefined ? [] : [cgroup]),
  labelNames: [],
  labels: () => ({}),
  rows: [
    {
      name: 'ptq_host_cgroup_memory_bytes',
      type: 'gauge',
      help: 'Memory charged to the cgroup of the daemon and its workers, caches included.',
      value: ({ memory }) => memory?.currentBytes,
    },
    {
      name: 'ptq_host_cgroup_memory_peak_bytes',
      type: 'gauge',
      help: 'The most that was charged to the cgroup since it was made.',
      value: ({ memory }) => memory?.peakBytes,
    },
    {
      name: 'ptq_host_cgroup_memory_limit_bytes',
      type: 'gauge',
      help: 'What the cgroup may have; without a series there is no limit.',
      value: ({ memory }) => memory?.limitBytes,
    },
    {
      name: 'ptq_host_cgroup_swap_bytes',
      type: 'gauge',
      help: 'Swap that the cgroup uses.',
      value: ({ memory }) => memory?.swapBytes,
    },
    {
      name: 'ptq_host_cgroup_memory_limit_events_total',
      type: 'counter',
      help: 'Times that the cgroup met its limit.',
      value: ({ memory }) => memory?.limitEvents,
    },
    {
      name: 'ptq_host_cgroup_oom_kills_total',
      type: 'counter',
      help: 'Processes of the cgroup that the kernel killed for lack of memory.',
      value: ({ memory }) => memory?.oomKills,
    },
    {
      name: 'ptq_host_cgroup_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of the cgroup.',
      value: ({ cpu }) => cpu?.usageSeconds,
    },
    {
      name: 'ptq_host_cgroup_cpu_quota_cpus',
      type: 'gauge',
      help: "CPUs' time that the cgroup may have; without a series it has no quota of its own.",
      value: ({ cpu }) => cpu?.quotaCpus,
    },
    {
      name: 'ptq_host_cgroup_cpu_throttled_seconds_total',
      type: 'counter',
      help: 'Time that the cgroup had to wait because a quota was used up.',
      value: ({ cpu }) => cpu?.quota?.throttledSeconds,
    },
  ],
});

const PRESSURE = familyGroup({
  items: ({ pressure }: HostSnapshot) => Object.entries(pressure ?? {}),
  labelNames: ['resource'],
  labels: ([resource]) => ({ resource }),
  rows: [
    {
      name: 'ptq_host_pressure_seconds_total',
      type: 'counter',
      help: 'Time in which some, or all (full), tasks waited for cpu, io or memory (pressure stall information).',
      by: 'kind',
      values: ([, { someSeconds, fullSeconds }]) => ({ some: someSeconds, full: fullSeconds }),
    },
  ],
});

const RAPL = familyGroup({
  items: ({ rapl }: HostSnapshot) => rapl?.zones ?? [],
  labelNames: ['zone'],
  labels: ({ zone }) => ({ zone }),
  rows: [
    {
      name: 'ptq_rapl_joules_total',
      type: 'counter',
      help: 'Energy that a part of a processor package took (RAPL); the counter wraps.',
      value: (zone) => zone.joules,
    },
  ],
});

const THERMAL = familyGroup({
  items: ({ thermal }: HostSnapshot) => thermal?.zones ?? [],
  labelNames: ['zone', 'type'],
  labels: ({ zone, type }) => ({ zone, type }),
  rows: [
    {
      name: 'ptq_thermal_zone_celsius',
      type: 'gauge',
      help: 'Temperature of a thermal zone of the kernel.',
      value: (zone) => zone.celsius,
    },
  ],
});

/** CPU, memory, cgroup, pressure, energy and temperatures of the host. */
export const HOST_FAMILIES = [CPU, CPU_CLOCKS, MEMORY, PAGING, CGROUP, PRESSURE, RAPL, THERMAL];
