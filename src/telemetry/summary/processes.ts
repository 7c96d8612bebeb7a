import type { PhaseUsage } from '../../core/phase.ts';
import type { ProcessReading } from '../collectors/processes.ts';
import { Gauge } from './gauge.ts';
import { type Fold, growthOf, type Step, shareOf, type TimeSpan } from './steps.ts';

/**
 * The watched processes together. Of a process that did the phase itself the figures are its own (`PhaseSpan.usage`), which
 * are exact at both ends of the phase; of every other one what it did after its last sample is not seen.
 */
export interface ProcessesSummary {
  readonly rssMeanBytes: number;
  /** The largest sum, or a single process' high-water mark that rose during the phase, if that is larger. */
  readonly rssPeakBytes: number;
  readonly cpuSeconds: number;
  /** Absent when no process' `/proc/PID/io` could be read. */
  readonly io?: { readonly readBytes: number; readonly writtenBytes: number };
}

type Processes = readonly ProcessReading[];

/** @param usage  of a process whose growth is known better than from samples, which are then left out */
export function createProcessesFold(
  span: TimeSpan,
  usage: PhaseUsage | undefined,
): Fold<Processes, ProcessesSummary> {
  const rssBytes = new Gauge();
  let highestMark = usage?.peakRssBytes ?? 0;
  let cpuSeconds = usage?.cpuSeconds ?? 0;
  let readBytes = usage?.io?.readBytes ?? 0;
  let writtenBytes = usage?.io?.writtenBytes ?? 0;
  let hasIo = usage?.io !== undefined;
  let sawProcess = false;
  return {
    step(step) {
      const { from, to } = step;
      rssBytes.add(step, sumOfRss(from.value), sumOfRss(to.value));
      sawProcess ||= from.value.length + to.value.length > 0;
      hasIo ||= to.value.some((process) => process.io !== undefined);
      // Of a mark that rose up to a sample after the span nobody knows whether it rose in it.
      if (to.tickNs <= span.endNs) highestMark = Math.max(highestMark, risenMark(step, usage));
      cpuSeconds += growth(step, (process) => process.cpuSeconds, usage);
      const known = usage?.io === undefined ? undefined : usage;
      readBytes += growth(step, (process) => process.io?.readBytes, known);
      writtenBytes += growth(step, (process) => process.io?.writtenBytes, known);
    },
    finish() {
      const rss = rssBytes.figures();
      if (rss === undefined || !sawProcess) return undefined;
      return {
        rssMeanBytes: Math.round(rss.mean),
        rssPeakBytes: Math.round(Math.max(rss.max, highestMark)),
        cpuSeconds,
        ...(hasIo
          ? { io: { readBytes: Math.round(readBytes), writtenBytes: Math.round(writtenBytes) } }
          : {}),
      };
    },
  };
}

function sumOfRss(processes: Processes): number {
  return processes.reduce((sum, process) => sum + process.rssBytes, 0);
}

function growth(
  step: Step<Processes>,
  read: (process: ProcessReading) => number | undefined,
  known: PhaseUsage | undefined,
): number {
  const grown = step.to.value.reduce((sum, process) => {
    if (process.pid === known?.pid) return sum;
    const before = sameProcess(step.from.value, process);
    const after = read(process) ?? 0;
    if (before !== undefined) return sum + growthOf(read(before) ?? after, after);
    // First seen: all of its counter if it was born in this step, nothing if it had run unwatched.
    return sum + (wasBornIn(step, process) ? after : 0);
  }, 0);
  return grown * shareOf(step);
}

/** The highest high-water mark of a process that was raised between two samples, or 0. */
function risenMark(step: Step<Processes>, known: PhaseUsage | undefined): number {
  let highest = 0;
  for (const process of step.to.value) {
    if (process.pid === known?.pid) continue;
    const before = sameProcess(step.from.value, process);
    const rose = before === undefined ? wasBornIn(step, process) : process.peakRssBytes > before.peakRssBytes;
    if (rose) highest = Math.max(highest, process.peakRssBytes);
  }
  return highest;
}

function sameProcess(processes: Processes, wanted: ProcessReading): ProcessReading | undefined {
  return processes.find(
    (process) => process.pid === wanted.pid && process.startSeconds === wanted.startSeconds,
  );
}

function wasBornIn(step: Step<unknown>, process: ProcessReading): boolean {
  // Ages come in steps of 10 ms, and so does the uptime that they are counted from.
  return process.ageSeconds <= step.seconds + 0.02;
}
