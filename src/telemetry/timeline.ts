import { secondsBetween } from '../core/clock.ts';
import type { Phase, PhaseSpan, PhaseUsage } from '../core/phase.ts';
import type { CpuReading } from './collectors/cpu.ts';
import type { DiskReading } from './collectors/disks.ts';
import type { PressureReading, StallSeconds } from './collectors/pressure.ts';
import type { ProcessReading } from './collectors/processes.ts';
import type { Snapshot } from './snapshot.ts';
import {
  coveredSeconds,
  gaugeWithin,
  growthOf,
  growthOrReset,
  type Sample,
  type Step,
  samplesWithin,
  stepsWithin,
  totalGrowth,
} from './timeline-steps.ts';

/**
 * What the host did during one phase. A part is absent when its collector did not cover the phase.
 * Counters are interpolated at the ends of the phase; rates are over the time that samples cover.
 */
export interface PhaseSummary {
  readonly phase: Phase;
  readonly subject?: string;
  readonly seconds: number;
  /** Snapshots of the host taken during the phase. 0: it fell between two, and everything here is interpolated. */
  readonly samples: number;
  /** Share of the phase that lies between snapshots, 0 to 1; below 1 sampling began late or ended early. */
  readonly coverageRatio: number;
  /** Longest time between two snapshots that bound or split the phase; large when the sampler was replaced. */
  readonly longestGapSeconds: number;
  readonly cpu?: CpuSummary;
  readonly memory?: { readonly availableMinBytes: number };
  readonly processes?: ProcessesSummary;
  readonly disks?: DisksSummary;
  readonly pressure?: PressureReading;
}

/** Shares of all CPUs' time, 0 to 1. CPU time comes in steps of 10 ms, so phases below some 100 ms are coarse. */
interface CpuSummary {
  /** Neither idle nor waiting for I/O nor stolen. */
  readonly busyRatio: number;
  /** Taken by the hypervisor for others; measurements under steal are not to be trusted. */
  readonly stealRatio: number;
}

/**
 * The watched processes together. Of a process that did the phase itself the figures are its own (`PhaseSpan.usage`), which
 * are exact at both ends of the phase; of every other one what it did after its last sample is not seen.
 */
interface ProcessesSummary {
  readonly rssMeanBytes: number;
  /** The largest sampled sum, or a single process' high-water mark that rose during the phase, if that is larger. */
  readonly rssPeakBytes: number;
  readonly cpuSeconds: number;
  /** Absent when no process' `/proc/PID/io` could be read. */
  readonly io?: { readonly readBytes: number; readonly writtenBytes: number };
}

/** All disks of the host together. */
interface DisksSummary {
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly readBytesPerSecond: number;
  readonly writtenBytesPerSecond: number;
  /** Requests in flight, averaged over time. */
  readonly meanQueueDepth: number;
}

/**
 * Summarises each phase. `snapshots` are, by source, in the order of their ticks, as the sampler sends them;
 * spans may overlap.
 */
export function summarizePhases(
  snapshots: readonly Snapshot[],
  spans: readonly PhaseSpan[],
): readonly PhaseSummary[] {
  const all = series(snapshots, (snapshot) => (snapshot.source === 'host' ? snapshot : undefined));
  const cpu = series(snapshots, (snapshot) => snapshot.cpu);
  const memory = series(snapshots, (snapshot) => snapshot.memory);
  const processes = series(snapshots, (snapshot) => snapshot.processes);
  const disks = series(snapshots, (snapshot) => snapshot.disks);
  const pressure = series(snapshots, (snapshot) => snapshot.pressure);
  return spans.map((span) => {
    const seconds = secondsBetween(span.startNs, span.endNs);
    const steps = stepsWithin(all, span);
    return {
      phase: span.phase,
      ...(span.subject === undefined ? {} : { subject: span.subject }),
      seconds,
      samples: samplesWithin(all, span).length,
      coverageRatio: seconds > 0 ? coveredSeconds(steps, span) / seconds : 0,
      longestGapSeconds: steps.reduce((longest, step) => Math.max(longest, step.seconds), 0),
      ...part('cpu', summarizeCpu(stepsWithin(cpu, span))),
      ...part('memory', summarizeMemory(gaugeWithin(memory, span, (value) => value.availableBytes))),
      ...part('processes', summarizeProcesses(processes, span)),
      ...part('disks', summarizeDisks(stepsWithin(disks, span), span)),
      ...part('pressure', summarizePressure(stepsWithin(pressure, span))),
    };
  });
}

/** The samples of one source; where its collector failed there is none, and its neighbours bridge the hole. */
function series<T>(snapshots: readonly Snapshot[], read: (snapshot: Snapshot) => T | undefined): Sample<T>[] {
  return snapshots.flatMap((snapshot) => {
    const value = read(snapshot);
    return value === undefined ? [] : [{ tickNs: snapshot.tickNs, value }];
  });
}

function part<N extends string, T>(name: N, value: T | undefined): { readonly [K in N]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in N]?: T };
}

function summarizeCpu(steps: readonly Step<CpuReading>[]): CpuSummary | undefined {
  const grown = (modes: readonly (keyof CpuReading['secondsByMode'])[]) =>
    totalGrowth(steps, ({ from, to }) =>
      modes.reduce(
        (sum, mode) => sum + growthOf(from.value.secondsByMode[mode], to.value.secondsByMode[mode]),
        0,
      ),
    );
  const busy = grown(['user', 'nice', 'system', 'irq', 'softirq']);
  const steal = grown(['steal']);
  const total = busy + steal + grown(['idle', 'iowait']);
  return total > 0 ? { busyRatio: busy / total, stealRatio: steal / total } : undefined;
}

function summarizeMemory(availableBytes: readonly number[]): PhaseSummary['memory'] {
  if (availableBytes.length === 0) return undefined;
  return { availableMinBytes: Math.round(availableBytes.reduce((a, b) => Math.min(a, b))) };
}

function summarizeProcesses(
  samples: readonly Sample<readonly ProcessReading[]>[],
  span: PhaseSpan,
): ProcessesSummary | undefined {
  const rssBytes = gaugeWithin(samples, span, (processes) =>
    processes.reduce((sum, process) => sum + process.rssBytes, 0),
  );
  const steps = stepsWithin(samples, span);
  const sawProcess = steps.some(({ from, to }) => from.value.length + to.value.length > 0);
  if (rssBytes.length === 0 || !sawProcess) return undefined;
  const { usage } = span;
  const hasIo =
    usage?.io !== undefined ||
    steps.some((step) => step.to.value.some((process) => process.io !== undefined));
  const grown = (sampled: (process: ProcessReading) => number | undefined, own: number | undefined) =>
    totalGrowth(steps, (step) => processGrowth(step, sampled, own === undefined ? undefined : usage)) +
    (own ?? 0);
  return {
    rssMeanBytes: Math.round(rssBytes.reduce((a, b) => a + b) / rssBytes.length),
    rssPeakBytes: Math.round(
      Math.max(
        rssBytes.reduce((a, b) => Math.max(a, b)),
        risenHighWaterMark(steps, span, usage),
        usage?.peakRssBytes ?? 0,
      ),
    ),
    cpuSeconds: grown((process) => process.cpuSeconds, usage?.cpuSeconds),
    ...(hasIo
      ? {
          io: {
            readBytes: Math.round(grown((process) => process.io?.readBytes, usage?.io?.readBytes)),
            writtenBytes: Math.round(grown((process) => process.io?.writtenBytes, usage?.io?.writtenBytes)),
          },
        }
      : {}),
  };
}

/** @param known  of this process, which is left out, the growth is known otherwise */
function processGrowth(
  step: Step<readonly ProcessReading[]>,
  read: (process: ProcessReading) => number | undefined,
  known: PhaseUsage | undefined,
): number {
  return step.to.value.reduce((sum, process) => {
    if (process.pid === known?.pid) return sum;
    const before = sameProcess(step.from.value, process);
    const after = read(process) ?? 0;
    if (before !== undefined) return sum + growthOf(read(before) ?? after, after);
    // First seen: all of its counter if it was born in this step, nothing if it had run unwatched.
    return sum + (wasBornIn(step, process) ? after : 0);
  }, 0);
}

/** The highest high-water mark of a process that was raised between two samples, the later of them in the span; or 0. */
function risenHighWaterMark(
  steps: readonly Step<readonly ProcessReading[]>[],
  span: PhaseSpan,
  known: PhaseUsage | undefined,
): number {
  let highest = 0;
  for (const step of steps) {
    if (step.to.tickNs > span.endNs) continue;
    for (const process of step.to.value) {
      if (process.pid === known?.pid) continue;
      const before = sameProcess(step.from.value, process);
      const rose =
        before === undefined ? wasBornIn(step, process) : process.peakRssBytes > before.peakRssBytes;
      if (rose) highest = Math.max(highest, process.peakRssBytes);
    }
  }
  return highest;
}

function sameProcess(
  processes: readonly ProcessReading[],
  wanted: ProcessReading,
): ProcessReading | undefined {
  return processes.find(
    (process) => process.pid === wanted.pid && process.startSeconds === wanted.startSeconds,
  );
}

function wasBornIn(step: Step<unknown>, process: ProcessReading): boolean {
  // Ages come in steps of 10 ms, and so does the uptime that they are counted from.
  return process.ageSeconds <= step.seconds + 0.02;
}

function summarizeDisks(
  steps: readonly Step<readonly DiskReading[]>[],
  span: PhaseSpan,
): DisksSummary | undefined {
  const seconds = coveredSeconds(steps, span);
  if (seconds === 0) return undefined;
  const readBytes = wholeGrowth(steps, (step) => diskGrowth(step, (disk) => disk.readBytes));
  const writtenBytes = wholeGrowth(steps, (step) => diskGrowth(step, (disk) => disk.writtenBytes));
  const requestSeconds = totalGrowth(steps, (step) => diskGrowth(step, (disk) => disk.weightedIoTimeSeconds));
  return {
    readBytes,
    writtenBytes,
    readBytesPerSecond: readBytes / seconds,
    writtenBytesPerSecond: writtenBytes / seconds,
    meanQueueDepth: requestSeconds / seconds,
  };
}

function diskGrowth(step: Step<readonly DiskReading[]>, read: (disk: DiskReading) => number): number {
  return step.to.value.reduce((sum, disk) => {
    const before = step.from.value.find((other) => other.device === disk.device);
    return before === undefined ? sum : sum + growthOrReset(read(before), read(disk));
  }, 0);
}

/** Interpolated bytes, rounded, as there are no halves. */
function wholeGrowth<T>(steps: readonly Step<T>[], growth: (step: Step<T>) => number): number {
  return Math.round(totalGrowth(steps, growth));
}

function summarizePressure(steps: readonly Step<PressureReading>[]): PressureReading | undefined {
  if (steps.length === 0) return undefined;
  const stall = (resource: keyof PressureReading): StallSeconds => ({
    someSeconds: totalGrowth(steps, ({ from, to }) =>
      growthOf(from.value[resource].someSeconds, to.value[resource].someSeconds),
    ),
    fullSeconds: totalGrowth(steps, ({ from, to }) =>
      growthOf(from.value[resource].fullSeconds, to.value[resource].fullSeconds),
    ),
  });
  return { cpu: stall('cpu'), io: stall('io'), memory: stall('memory') };
}
