import { attempt, ProblemError } from '../../core/problem.ts';
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

export interface ProcessReading {
  readonly pid: number;
  /** Start of the process in seconds since boot. With the pid it identifies a process, as pids are used again. */
  readonly startSeconds: number;
  /** How long it has been running, in steps of 10 ms. */
  readonly ageSeconds: number;
  /** User and system time of all its threads, in steps of 10 ms. */
  readonly cpuSeconds: number;
  /** User and system time of its children that have ended. Those that still run are seen only where they are watched. */
  readonly childrenCpuSeconds: number;
  readonly threads: number;
  /** Page faults that had to wait for storage. */
  readonly majorFaults: number;
  readonly rssBytes: number;
  /** The largest resident set since the process started (VmHWM), exact between samples too. */
  readonly peakRssBytes: number;
  /**
   * Bytes that really came from and went to storage, those of its children that have ended among them; absent when
   * `/proc/PID/io` may not be read.
   */
  readonly io?: { readonly readBytes: number; readonly writtenBytes: number };
}

/**
 * The watched processes that are alive, in the order of `watchedPids`, from `/proc/PID/{stat,status,io}` (proc(5)).
 * A process that has ended, or is a zombie, is left out: that is no failure.
 */
export function collectProcesses(
  host: Host,
  watchedPids: readonly number[],
): Result<readonly ProcessReading[], CollectProblem> {
  return attempt(() => {
    if (watchedPids.length === 0) return [];
    const uptimeSeconds = readUptime(host, `${host.procPath}/uptime`);
    return watchedPids.flatMap((pid) => readProcess(host, pid, uptimeSeconds) ?? []);
  });
}

function readProcess(host: Host, pid: number, uptimeSeconds: number): ProcessReading | undefined {
  const folder = `${host.procPath}/${pid}`;
  return unlessKind('absent', () => {
    const times = readStat(host, `${folder}/stat`);
    const memory = readResidentSet(host, `${folder}/status`);
    if (memory === undefined) return undefined;
    const io = unlessKind('unreadable', () => readIo(host, `${folder}/io`));
    return {
      pid,
      ...times,
      ageSeconds: Math.max(0, roundTicks(uptimeSeconds - times.startSeconds)),
      ...memory,
      ...(io === undefined ? {} : { io }),
    };
  });
}

/** Undefined instead of a problem of this kind; every other problem goes on up. */
export function unlessKind<T>(kind: CollectProblem['kind'], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProblemError && error.problem.kind === kind) return undefined;
    throw error;
  }
}

function readUptime(host: Host, file: string): number {
  const text = readText(host, file);
  const seconds = /^(\d+\.\d+) /.exec(text)?.[1];
  if (seconds === undefined) throw malformed(file, `expected seconds since boot but found ${quote(text)}`, 1);
  return Number(seconds);
}

type StatFields = Pick<
  ProcessReading,
  'cpuSeconds' | 'startSeconds' | 'childrenCpuSeconds' | 'threads' | 'majorFaults'
>;

function readStat(host: Host, file: string): StatFields {
  const text = readText(host, file);
  // The command's name stands in brackets and may itself hold spaces and brackets, so fields are counted after the last.
  const end = text.lastIndexOf(') ');
  if (end < 0) throw malformed(file, `expected a command in brackets but found ${quote(text)}`, 1);
  const fields = text.slice(end + 2).split(' ');
  const field = (number: number, name: string) => parseCounter(fields[number - 3], name, file, 1);
  return {
    cpuSeconds: (field(14, 'utime') + field(15, 'stime')) / USER_TICKS_PER_SECOND,
    startSeconds: field(22, 'starttime') / USER_TICKS_PER_SECOND,
    childrenCpuSeconds: (field(16, 'cutime') + field(17, 'cstime')) / USER_TICKS_PER_SECOND,
    threads: field(20, 'num_threads'),
    majorFaults: field(12, 'majflt'),
  };
}

/** Undefined for a zombie, which has a status but no memory any more. */
function readResidentSet(
  host: Host,
  file: string,
): { readonly rssBytes: number; readonly peakRssBytes: number } | undefined {
  const text = readText(host, file);
  const rss = /^VmRSS:\s*(\d+) kB$/m.exec(text)?.[1];
  const peak = /^VmHWM:\s*(\d+) kB$/m.exec(text)?.[1];
  if (rss === undefined && peak === undefined) {
    if (/^State:/m.test(text)) return undefined;
    throw malformed(file, `expected the status of a process but found ${quote(text)}`, 1);
  }
  if (rss === undefined || peak === undefined) {
    throw malformed(file, `expected ${rss === undefined ? 'VmRSS' : 'VmHWM'} in kB but found none`);
  }
  return { rssBytes: Number(rss) * 1024, peakRssBytes: Number(peak) * 1024 };
}

function readIo(host: Host, file: string): { readonly readBytes: number; readonly writtenBytes: number } {
  const text = readText(host, file);
  const read = /^read_bytes: (\d+)$/m.exec(text)?.[1];
  const written = /^write_bytes: (\d+)$/m.exec(text)?.[1];
  if (read === undefined || written === undefined) {
    throw malformed(
      file,
      `expected ${read === undefined ? 'read_bytes' : 'write_bytes'} but found ${quote(text)}`,
    );
  }
  return { readBytes: Number(read), writtenBytes: Number(written) };
}

function roundTicks(seconds: number): number {
  return Math.round(seconds * USER_TICKS_PER_SECOND) / USER_TICKS_PER_SECOND;
}
