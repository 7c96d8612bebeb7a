import { type Clock, secondsBetween, systemClock } from '../../core/clock.ts';
import { attempt } from '../../core/problem.ts';
import { type Collector, type Host, malformed, quote, readText } from './collector.ts';
import { unlessKind } from './processes.ts';

export interface ProcessMemoryReading {
  readonly pid: number;
  /** Proportional set size: what is shared with other processes counts in equal parts for each of them. */
  readonly pssBytes: number;
  /** Its part in swap, shared likewise. */
  readonly swapPssBytes: number;
}

/**
 * For the figure the kernel walks through all page tables of a process, 7 ms for 1 GiB where this was written. Beyond this
 * time, some 7 GiB, that is work which a measurement could feel: the process is not read again.
 */
const MAX_READ_SECONDS = 0.05;

/**
 * Makes the collector of what the watched processes take of the memory, so that shares add up, from `/proc/PID/smaps_rollup`
 * (proc(5)). The process goes on meanwhile; only a change of its mappings waits, since Linux 5.10 for a part of the time. Left
 * out are processes that have ended, those that may not be read, and those that are too large; see `MAX_READ_SECONDS`.
 */
export function createProcessMemory(
  clock: Pick<Clock, 'nowNs'> = systemClock,
): Collector<readonly ProcessMemoryReading[]> {
  const tooLarge = new Set<number>();
  return (host, watchedPids) =>
    attempt(() => {
      for (const pid of tooLarge) if (!watchedPids.includes(pid)) tooLarge.delete(pid);
      return watchedPids.flatMap((pid) => {
        if (tooLarge.has(pid)) return [];
        const startNs = clock.nowNs();
        const reading = readProcess(host, pid);
        if (secondsBetween(startNs, clock.nowNs()) > MAX_READ_SECONDS) tooLarge.add(pid);
        return reading ?? [];
      });
    });
}

function readProcess(host: Host, pid: number): ProcessMemoryReading | undefined {
  const file = `${host.procPath}/${pid}/smaps_rollup`;
  const text = unlessKind('unreadable', () => unlessKind('absent', () => readText(host, file)));
  // A zombie has no memory any more, and an empty file.
  return text === undefined || text === '' ? undefined : parseRollup(pid, text, file);
}

function parseRollup(pid: number, text: string, file: string): ProcessMemoryReading {
  const pss = /^Pss:\s*(\d+) kB$/m.exec(text)?.[1];
  const swapPss = /^SwapPss:\s*(\d+) kB$/m.exec(text)?.[1];
  if (pss === undefined) throw malformed(file, `expected Pss in kB but found ${quote(text)}`);
  return { pid, pssBytes: Number(pss) * 1024, swapPssBytes: Number(swapPss ?? 0) * 1024 };
}
