import type { CounterColumn } from '../trace-input.ts';

/** A track of a trace: what people read, in the unit that its name ends in. */
export interface CounterTrack {
  /** Who read it, as the names of its columns begin. */
  readonly collector: string;
  readonly name: string;
  readonly valueAt: (point: number) => number | undefined;
}

/** What is made of one column. */
interface Rule {
  /** Its groups are put into the name. */
  readonly columns: RegExp;
  /** `$1` is the first group of the pattern. */
  readonly name: string;
  readonly scale: number;
}

const MEBI = 2 ** 20;
const PERCENT = 100;

const rule = (columns: RegExp, name: string, scale = 1): Rule => ({ columns, name, scale });

/**
 * The columns of a timeline that are shown, by collector, in the order of tracks. Counters come as growth per second: seconds
 * that grow by one a second are 100 %.
 */
const RULES: readonly Rule[] = [
  rule(/^cpuClocks\.frequencyHertz\.(min|mean|max)$/, 'CPU clock $1 MHz', 1e-6),
  rule(/^cpuClocks\.throttleEvents\.(\w+)$/, 'CPU throttled ($1) /s'),
  rule(/^memory\.cachedBytes$/, 'RAM cached MiB', 1 / MEBI),
  rule(/^memory\.cgroup\.currentBytes$/, 'RAM of the cgroup MiB', 1 / MEBI),
  rule(/^processMemory\.(\d+)\.pssBytes$/, 'process $1 PSS MiB', 1 / MEBI),
  rule(/^processMemory\.(\d+)\.swapPssBytes$/, 'process $1 swap MiB', 1 / MEBI),
  rule(/^cgroup\.memory\.currentBytes$/, 'cgroup memory MiB', 1 / MEBI),
  rule(/^cgroup\.memory\.limitBytes$/, 'cgroup memory limit MiB', 1 / MEBI),
  rule(/^cgroup\.memory\.swapBytes$/, 'cgroup swap MiB', 1 / MEBI),
  rule(/^cgroup\.memory\.highEvents$/, 'cgroup memory above high /s'),
  rule(/^cgroup\.memory\.limitEvents$/, 'cgroup memory at limit /s'),
  rule(/^cgroup\.memory\.oomKills$/, 'cgroup kills for memory /s'),
  rule(/^cgroup\.cpu\.usageSeconds$/, 'cgroup CPU % of one CPU', PERCENT),
  rule(/^cgroup\.cpu\.quotaCpus$/, 'cgroup CPU quota % of one CPU', PERCENT),
  rule(/^cgroup\.cpu\.quota\.throttledPeriods$/, 'cgroup CPU throttled periods /s'),
  rule(/^cgroup\.cpu\.quota\.throttledSeconds$/, 'cgroup CPU throttled %', PERCENT),
  rule(/^pressure\.(cpu|io|memory)\.someSeconds$/, 'pressure $1 some %', PERCENT),
  rule(/^pressure\.(cpu|io|memory)\.fullSeconds$/, 'pressure $1 full %', PERCENT),
  rule(/^paging\.swappedInPages$/, 'swapped in pages/s'),
  rule(/^paging\.swappedOutPages$/, 'swapped out pages/s'),
  rule(/^paging\.majorFaults$/, 'major page faults /s'),
  rule(/^paging\.oomKills$/, 'kills for memory /s'),
  rule(/^disks\.(.+)\.readBytes$/, 'disk $1 read MiB/s', 1 / MEBI),
  rule(/^disks\.(.+)\.writtenBytes$/, 'disk $1 write MiB/s', 1 / MEBI),
  rule(/^disks\.(.+)\.discardedBytes$/, 'disk $1 discard MiB/s', 1 / MEBI),
  rule(/^disks\.(.+)\.reads$/, 'disk $1 reads /s'),
  rule(/^disks\.(.+)\.writes$/, 'disk $1 writes /s'),
  rule(/^disks\.(.+)\.weightedIoTimeSeconds$/, 'disk $1 queue depth'),
  rule(/^disks\.(.+)\.ioTimeSeconds$/, 'disk $1 busy %', PERCENT),
  rule(/^nvmeHealth\.drives\.(.+)\.temperatureCelsius$/, 'NVMe $1 °C'),
  rule(/^nvmeHealth\.drives\.(.+)\.percentageUsedRatio$/, 'NVMe $1 worn %', PERCENT),
  rule(/^nvmeHealth\.drives\.(.+)\.availableSpareRatio$/, 'NVMe $1 spare %', PERCENT),
  rule(/^nvmeHealth\.drives\.(.+)\.mediaErrors$/, 'NVMe $1 media errors'),
  rule(/^rapl\.(?:zones\.)?(.+)\.joules$/, 'power $1 W'),
  rule(/^thermal\.(?:zones\.)?(.+)\.celsius$/, 'temperature $1 °C'),
  rule(/^processes\.(\d+)\.cpuSeconds$/, 'process $1 CPU % of one CPU', PERCENT),
  rule(/^processes\.(\d+)\.childrenCpuSeconds$/, 'process $1 children CPU % of one CPU', PERCENT),
  rule(/^processes\.(\d+)\.rssBytes$/, 'process $1 RSS MiB', 1 / MEBI),
  rule(/^processes\.(\d+)\.threads$/, 'process $1 threads'),
  rule(/^processes\.(\d+)\.majorFaults$/, 'process $1 major page faults /s'),
  rule(/^processes\.(\d+)\.io\.readBytes$/, 'process $1 read MiB/s', 1 / MEBI),
  rule(/^processes\.(\d+)\.io\.writtenBytes$/, 'process $1 write MiB/s', 1 / MEBI),
  rule(/^gpus\.(.+)\.utilizationRatio$/, 'GPU $1 busy %', PERCENT),
  rule(/^gpus\.(.+)\.memoryActivityRatio$/, 'GPU $1 memory busy %', PERCENT),
  rule(/^gpus\.(.+)\.memory\.usedBytes$/, 'GPU $1 memory MiB', 1 / MEBI),
  rule(/^gpus\.(.+)\.powerWatts\.(instant|average)$/, 'GPU $1 power ($2) W'),
  rule(/^gpus\.(.+)\.powerLimitWatts$/, 'GPU $1 power limit W'),
  rule(/^gpus\.(.+)\.energyJoules$/, 'GPU $1 power (from energy) W'),
  rule(/^gpus\.(.+)\.temperatureCelsius\.(gpu|memory)$/, 'GPU $1 $2 °C'),
  rule(/^gpus\.(.+)\.clockHertz\.(\w+)$/, 'GPU $1 $2 clock MHz', 1e-6),
  rule(/^gpus\.(.+)\.pcie\.rxBytesPerSecond$/, 'GPU $1 PCIe receive MiB/s', 1 / MEBI),
  rule(/^gpus\.(.+)\.pcie\.txBytesPerSecond$/, 'GPU $1 PCIe send MiB/s', 1 / MEBI),
  rule(/^sampler\.(\w+)\.cpuSeconds$/, 'sampler $1 CPU % of one CPU', PERCENT),
];

/** Tracks of all columns that tell something, in the order of the table; those that are joined from several come first. */
export function counterTracks(columns: readonly CounterColumn[]): readonly CounterTrack[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const tracks = [...cpuTracks(byName), ...memoryTracks(byName)];
  for (const { columns: pattern, name, scale } of RULES) {
    for (const column of columns) {
      const match = pattern.exec(column.name);
      if (match === null) continue;
      tracks.push({
        collector: collectorOf(column.name),
        name: name.replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? ''),
        valueAt: (point) => scaled(column.mean[point], scale),
      });
    }
  }
  return tracks;
}

const IDLE_MODES: ReadonlySet<string> = new Set(['idle', 'iowait']);

/** Of all CPUs together: 100 % is all of them busy. */
function cpuTracks(byName: ReadonlyMap<string, CounterColumn>): CounterTrack[] {
  const count = byName.get('cpu.cpuCount');
  const prefix = 'cpu.secondsByMode.';
  const modes = [...byName.values()].filter(({ name }) => name.startsWith(prefix));
  if (count === undefined || modes.length === 0) return [];
  const share = (column: CounterColumn, point: number) => {
    const cpus = count.mean[point];
    const seconds = column.mean[point];
    return cpus == null || seconds == null || cpus === 0 ? undefined : (PERCENT * seconds) / cpus;
  };
  const busy = modes.filter(({ name }) => !IDLE_MODES.has(name.slice(prefix.length)));
  return [
    {
      collector: 'cpu',
      name: 'CPU busy %',
      valueAt: (point) =>
        busy.reduce<number | undefined>((total, column) => {
          const value = share(column, point);
          return total === undefined || value === undefined ? undefined : total + value;
        }, 0),
    },
    ...modes
      .filter(({ name }) => !name.endsWith('.idle'))
      .map((column) => ({
        collector: 'cpu',
        name: `CPU ${column.name.slice(prefix.length)} %`,
        valueAt: (point: number) => share(column, point),
      })),
  ];
}

function memoryTracks(byName: ReadonlyMap<string, CounterColumn>): CounterTrack[] {
  return [
    ...difference(byName, 'RAM used MiB', 'memory.totalBytes', 'memory.availableBytes'),
    ...difference(byName, 'swap used MiB', 'memory.swapTotalBytes', 'memory.swapFreeBytes'),
  ];
}

function difference(
  byName: ReadonlyMap<string, CounterColumn>,
  name: string,
  from: string,
  less: string,
): CounterTrack[] {
  const whole = byName.get(from);
  const rest = byName.get(less);
  if (whole === undefined || rest === undefined) return [];
  return [
    {
      collector: collectorOf(from),
      name,
      valueAt: (point) => {
        const total = whole.mean[point];
        const free = rest.mean[point];
        return total == null || free == null ? undefined : (total - free) / MEBI;
      },
    },
  ];
}

function collectorOf(column: string): string {
  return column.slice(0, column.indexOf('.'));
}

function scaled(value: number | null | undefined, scale: number): number | undefined {
  return value == null ? undefined : value * scale;
}
