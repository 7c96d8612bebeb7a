import { attempt } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { type CollectProblem, type Host, lineAt, malformed, parseCounter, readText } from './collector.ts';

/** Counters of the host since boot; one is absent where the kernel was built without it. */
export interface PagingReading {
  /** In pages of the kernel, of 4 KiB on x86. */
  readonly swappedInPages?: number;
  readonly swappedOutPages?: number;
  /** Page faults that had to wait for storage. */
  readonly majorFaults?: number;
  /** Processes that the kernel killed for lack of memory, in any cgroup. */
  readonly oomKills?: number;
}

const FIELDS = {
  swappedInPages: 'pswpin',
  swappedOutPages: 'pswpout',
  majorFaults: 'pgmajfault',
  oomKills: 'oom_kill',
} as const satisfies Record<keyof PagingReading, string>;

/**
 * Swapping, slow page faults and kills for lack of memory, from `/proc/vmstat` (mm/vmstat.c): a name and a number a line. To
 * answer, the kernel sums over all CPUs, which takes a large host most of a millisecond: read it once a second, no faster.
 */
export function collectPaging(host: Host): Result<PagingReading, CollectProblem> {
  const file = `${host.procPath}/vmstat`;
  return attempt(() => {
    const lines = `\n${readText(host, file)}`;
    const reading: { -readonly [N in keyof PagingReading]: number } = {};
    for (const [name, field] of Object.entries(FIELDS) as [keyof PagingReading, string][]) {
      const value = parseField(lines, field, file);
      if (value !== undefined) reading[name] = value;
    }
    if (Object.keys(reading).length === 0) {
      throw malformed(file, `expected one of ${Object.values(FIELDS).join(', ')} but found none`);
    }
    return reading;
  });
}

function parseField(lines: string, field: string, file: string): number | undefined {
  const start = lines.indexOf(`\n${field} `);
  if (start < 0) return undefined;
  const end = lines.indexOf('\n', start + 1);
  const digits = lines.slice(start + field.length + 2, end < 0 ? lines.length : end);
  return parseCounter(digits, field, file, () => lineAt(lines, start));
}
