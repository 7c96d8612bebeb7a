import { attempt } from '../core/problem.ts';
import { type Host, listFolder, SYSTEM_ROOTS } from '../telemetry/collectors/collector.ts';
import { textIfReadable } from '../telemetry/collectors/cpu-files.ts';
import { parseCpuList } from './cpu-list.ts';

/** A cache that data goes through. */
export interface CpuCache {
  readonly level: number;
  readonly sizeBytes: number;
  /** CPUs (hardware threads) that have one such cache between them. */
  readonly sharedBy: number;
}

/** `2048K`, `32M`, as the kernel writes the size of a cache. */
const SIZE = /^(\d+)([KM])$/;

/**
 * The caches for data of a CPU, the nearest first, as the kernel tells them in `cache/index*` (kernel doc ABI/testing/
 * sysfs-devices-system-cpu). Empty where it does not. A virtual machine may be told of a cache that it shares with others.
 */
export function readCpuCaches(host: Host = SYSTEM_ROOTS, cpu = 0): readonly CpuCache[] {
  const folder = `${host.sysPath}/devices/system/cpu/cpu${cpu}/cache`;
  const names = attempt(() => listFolder(folder));
  if (!names.ok) return [];
  const caches = names.value
    .filter((name) => /^index\d+$/.test(name))
    .flatMap((name) => {
      const field = (file: string) => textIfReadable(host, `${folder}/${name}/${file}`) ?? '';
      const [, size, unit] = SIZE.exec(field('size')) ?? [];
      const level = Number(field('level'));
      const cpus = parseCpuList(field('shared_cpu_list'));
      if (size === undefined || !Number.isInteger(level) || level < 1) return [];
      if (field('type') === 'Instruction') return [];
      const sizeBytes = Number(size) * (unit === 'M' ? 2 ** 20 : 2 ** 10);
      return { level, sizeBytes, sharedBy: cpus.ok ? cpus.value.length : 1 };
    });
  return caches.sort((a, b) => a.level - b.level);
}
