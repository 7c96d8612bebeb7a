import type { PathPart } from './snapshot-leaves.ts';

/** Every source has these of its own; readings are in one source only. */
const OF_SOURCE: ReadonlySet<unknown> = new Set(['tickNs', 'wallMs', 'source', 'sampler']);

/**
 * What people call a column: `cpu.secondsByMode.user`, `disks.nvme0n1.readBytes`, `sampler.gpu.cpuSeconds`.
 * @param path  its source first
 */
export function columnName(path: readonly PathPart[]): string {
  const [source = '', ...parts] = path.map(partName);
  const [first = '', ...rest] = parts;
  const names = OF_SOURCE.has(first) ? [first, source, ...rest] : parts;
  // A reading that is named as the list in it (`gpus.gpus`) is named once.
  return names.filter((name, index) => name !== names[index - 1]).join('.');
}

function partName(part: PathPart): string {
  return typeof part === 'object' ? String(Object.values(part)[0]) : String(part);
}

/** Whether a pattern names a column: in full, by its beginning up to a dot, or with `*` for any characters. */
export function matchesColumn(pattern: string, name: string): boolean {
  const expression = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${expression.join('.*')}(?:\\.|$)`).test(name);
}

/**
 * Counters, by name: they only ever grow, so what is told of a time is their growth. A collector that adds one adds it here;
 * without, its column is shown as the number it is.
 */
const COUNTERS = [
  /^cpu\.secondsByMode\./,
  /^cpuClocks\.throttleEvents\./,
  /^pressure\..*Seconds$/,
  /^paging\./,
  /^cgroup\.cpu\.(?:usageSeconds|quota\.\w+)$/,
  /^cgroup\.memory\.(?:\w+Events|oomKills)$/,
  /^disks\..*\.(?:reads|writes|discards|readBytes|writtenBytes|discardedBytes|\w+Seconds)$/,
  /^processes\.\d+\.(?:cpuSeconds|childrenCpuSeconds|majorFaults|io\.\w+)$/,
  /^rapl\..*\.joules$/,
  /^gpus\..*\.(?:energyJoules|pcie\.replays)$/,
  /^sampler\.\w+\.(?:cpuSeconds|missedTicks)$/,
];

export function isCounter(name: string): boolean {
  return COUNTERS.some((counter) => counter.test(name));
}
