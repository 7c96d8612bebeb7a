import { absoluteCounterFamily, gaugeFamily, type MetricRegistry } from './families.ts';

/**
 * What the host's metrics are made from. A reading that is absent was not taken: its series vanish rather
 * than repeat an old value.
 */
export interface HostSnapshot {
  /** Seconds since boot in each CPU mode, summed over CPUs. */
  readonly cpu?: { readonly secondsByMode: Readonly<Record<string, number>> };
  readonly memory?: { readonly totalBytes: number; readonly availableBytes: number };
  readonly pressure?: Readonly<Record<'cpu' | 'io' | 'memory', StallSeconds>>;
  readonly disks?: readonly DiskCounters[];
  /** How each collector fared. One that the host has no source for (kind `absent`) is not a fault. */
  readonly health: Readonly<Record<string, CollectorHealth>>;
  /** The sampler's processes; one without `cost` has not delivered since it was started. */
  readonly sources: Readonly<
    Record<string, { readonly cost?: { readonly cpuSeconds: number; readonly missedTicks: number } }>
  >;
}

interface StallSeconds {
  readonly someSeconds: number;
  readonly fullSeconds: number;
}

interface DiskCounters {
  readonly device: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly ioTimeSeconds: number;
  readonly weightedIoTimeSeconds: number;
}

type CollectorHealth = (
  | { readonly status: 'ok' | 'slow' }
  | { readonly status: 'failed' | 'down'; readonly problem: { readonly kind: string } }
) & {
  /** Milliseconds since the Unix epoch. */
  readonly lastSuccessMs?: number;
};

/** Updates the host's metrics. */
export type SetHost = (snapshot: HostSnapshot) => void;

/** Registers the metrics of the host and of the sampler that reads it. */
export function createHostMetrics(registry: MetricRegistry): SetHost {
  const setCpu = createCpu(registry);
  const setMemory = createMemory(registry);
  const setPressure = createPressure(registry);
  const setDisks = createDisks(registry);
  const setSampler = createSampler(registry);
  return (snapshot) => {
    setCpu(snapshot.cpu);
    setMemory(snapshot.memory);
    setPressure(snapshot.pressure);
    setDisks(snapshot.disks ?? []);
    setSampler(snapshot);
  };
}

function createCpu(registry: MetricRegistry): (cpu: HostSnapshot['cpu']) => void {
  const seconds = absoluteCounterFamily({
    registry,
    name: 'ptq_host_cpu_seconds_total',
    help: 'CPU time since boot, summed over CPUs, by the modes of /proc/stat.',
    labelNames: ['mode'],
  });
  return (cpu) =>
    seconds.replaceAll(
      Object.entries(cpu?.secondsByMode ?? {}).map(([mode, value]) => ({ labels: { mode }, value })),
    );
}

function createMemory(registry: MetricRegistry): (memory: HostSnapshot['memory']) => void {
  const total = gaugeFamily({
    registry,
    name: 'ptq_host_memory_total_bytes',
    help: 'Memory of the host.',
    labelNames: [],
  });
  const available = gaugeFamily({
    registry,
    name: 'ptq_host_memory_available_bytes',
    help: 'Memory that can be allocated without swapping, as the kernel estimates it.',
    labelNames: [],
  });
  return (memory) => {
    total.set({}, memory?.totalBytes);
    available.set({}, memory?.availableBytes);
  };
}

function createPressure(registry: MetricRegistry): (pressure: HostSnapshot['pressure']) => void {
  const seconds = absoluteCounterFamily({
    registry,
    name: 'ptq_host_pressure_seconds_total',
    help: 'Time in which some, or all (full), tasks waited for cpu, io or memory (pressure stall information).',
    labelNames: ['resource', 'kind'],
  });
  return (pressure) =>
    seconds.replaceAll(
      Object.entries(pressure ?? {}).flatMap(([resource, { someSeconds, fullSeconds }]) => [
        { labels: { resource, kind: 'some' }, value: someSeconds },
        { labels: { resource, kind: 'full' }, value: fullSeconds },
      ]),
    );
}

const DISK_COUNTERS: readonly { name: string; help: string; field: Exclude<keyof DiskCounters, 'device'> }[] =
  [
    { name: 'ptq_disk_read_bytes_total', help: 'Bytes read from the device.', field: 'readBytes' },
    { name: 'ptq_disk_written_bytes_total', help: 'Bytes written to the device.', field: 'writtenBytes' },
    { name: 'ptq_disk_reads_total', help: 'Reads that the device completed.', field: 'reads' },
    { name: 'ptq_disk_writes_total', help: 'Writes that the device completed.', field: 'writes' },
    {
      name: 'ptq_disk_io_time_seconds_total',
      help: 'Time in which the device had at least one request in flight.',
      field: 'ioTimeSeconds',
    },
    {
      name: 'ptq_disk_io_time_weighted_seconds_total',
      help: 'Time summed over the requests in flight; its rate is the mean queue depth.',
      field: 'weightedIoTimeSeconds',
    },
  ];

function createDisks(registry: MetricRegistry): (disks: readonly DiskCounters[]) => void {
  const families = DISK_COUNTERS.map(({ name, help, field }) => ({
    field,
    family: absoluteCounterFamily({ registry, name, help, labelNames: ['device'] }),
  }));
  return (disks) => {
    for (const { field, family } of families) {
      family.replaceAll(disks.map((disk) => ({ labels: { device: disk.device }, value: disk[field] })));
    }
  };
}

function createSampler(registry: MetricRegistry): SetHost {
  const up = gaugeFamily({
    registry,
    name: 'ptq_sampler_up',
    help: 'Whether the last reading of the collector succeeded; without a series, the host has no such source.',
    labelNames: ['collector'],
  });
  const lastSuccess = gaugeFamily({
    registry,
    name: 'ptq_sampler_last_success_timestamp_seconds',
    help: 'When the collector last succeeded.',
    labelNames: ['collector'],
  });
  const missedTicks = absoluteCounterFamily({
    registry,
    name: 'ptq_sampler_missed_ticks_total',
    help: 'Samples that were due and not taken since the sampler process started.',
    labelNames: ['source'],
  });
  const cpuSeconds = absoluteCounterFamily({
    registry,
    name: 'ptq_sampler_cpu_seconds_total',
    help: 'CPU time of the sampler process.',
    labelNames: ['source'],
  });
  return ({ health, sources }) => {
    const costs = Object.entries(sources).flatMap(([source, { cost }]) =>
      cost === undefined ? [] : [{ labels: { source }, cost }],
    );
    missedTicks.replaceAll(costs.map(({ labels, cost }) => ({ labels, value: cost.missedTicks })));
    cpuSeconds.replaceAll(costs.map(({ labels, cost }) => ({ labels, value: cost.cpuSeconds })));
    const present = Object.entries(health).filter(
      ([, collector]) => collector.status !== 'failed' || collector.problem.kind !== 'absent',
    );
    up.replaceAll(
      present.map(([collector, { status }]) => ({
        labels: { collector },
        value: status === 'ok' || status === 'slow' ? 1 : 0,
      })),
    );
    lastSuccess.replaceAll(
      present.flatMap(([collector, { lastSuccessMs }]) =>
        lastSuccessMs === undefined ? [] : [{ labels: { collector }, value: lastSuccessMs / 1e3 }],
      ),
    );
  };
}
