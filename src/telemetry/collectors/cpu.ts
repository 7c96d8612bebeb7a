import { attempt } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import {
  type CollectProblem,
  type Host,
  malformed,
  parseCounter,
  quote,
  readText,
  USER_TICKS_PER_SECOND,
} from './collector.ts';

type CpuMode = 'user' | 'nice' | 'system' | 'idle' | 'iowait' | 'irq' | 'softirq' | 'steal';

export interface CpuReading {
  /** CPUs that are online. */
  readonly cpuCount: number;
  /**
   * Cumulative CPU seconds since boot per mode, summed over all CPUs, in steps of 10 ms.
   * Guest time is within user and nice, as the kernel counts it.
   */
  readonly secondsByMode: Readonly<Record<CpuMode, number>>;
}

const SPACES = / +/;

/** CPU time of the host, from `/proc/stat` (proc(5)). */
export function collectCpu(host: Host): Result<CpuReading, CollectProblem> {
  const file = `${host.procPath}/stat`;
  return attempt(() => parseCpu(readText(host, file), file));
}

function parseCpu(text: string, file: string): CpuReading {
  // The lines after the CPUs (interrupts) are long on large hosts, hence no split of the whole text.
  const totals = firstLine(text).split(SPACES);
  if (totals[0] !== 'cpu') {
    throw malformed(file, `expected the line of all CPUs ("cpu ...") but found ${quote(totals[0])}`, 1);
  }
  const seconds = (position: number, mode: CpuMode) =>
    parseCounter(totals[position], mode, file, 1) / USER_TICKS_PER_SECOND;
  const secondsByMode = {
    user: seconds(1, 'user'),
    nice: seconds(2, 'nice'),
    system: seconds(3, 'system'),
    idle: seconds(4, 'idle'),
    iowait: seconds(5, 'iowait'),
    irq: seconds(6, 'irq'),
    softirq: seconds(7, 'softirq'),
    steal: seconds(8, 'steal'),
  };
  return { cpuCount: countCpuLines(text, file), secondsByMode };
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end);
}

function countCpuLines(text: string, file: string): number {
  let count = 0;
  for (let at = text.indexOf('\ncpu'); at >= 0; at = text.indexOf('\ncpu', at + 1)) count += 1;
  if (count === 0) throw malformed(file, 'expected a line per CPU ("cpu0 ...") but found none', 2);
  return count;
}
