import { secondsBetween } from '../../core/clock.ts';
import type { Phase, PhaseSpan } from '../../core/phase.ts';
import type { PressureReading } from '../collectors/pressure.ts';
import type { Snapshot } from '../snapshot.ts';
import { earlier, later } from '../timeline/ticks.ts';
import { type CpuSummary, createCpuFold } from './cpu.ts';
import { createDisksFold, type DisksSummary } from './disks.ts';
import { createGpusFold, type GpuSummary, type SummedGpus } from './gpus.ts';
import {
  createThermalFold,
  createThrottleFold,
  type SummedClocks,
  type SummedThermal,
  type ThermalSummary,
} from './heat.ts';
import { createMemoryFold, type MemorySummary } from './memory.ts';
import { createPagingFold, type PagingSummary, type SummedPaging } from './paging.ts';
import { createPressureFold } from './pressure.ts';
import { createProcessesFold, type ProcessesSummary } from './processes.ts';
import { createRaplFold, type RaplSummary, type SummedRapl } from './rapl.ts';
import { type Fold, type Sample, stepWithin, type TimeSpan } from './steps.ts';

/**
 * What the host did during one phase. A part is absent when its collector did not cover the phase.
 * Counters and gauges are interpolated at the ends of the phase; rates are over the time that samples cover.
 */
export interface PhaseSummary {
  readonly phase: Phase;
  readonly subject?: string;
  readonly seconds: number;
  /** Its end was never told, as when its worker died; it is taken to be that of the run. */
  readonly unfinished?: true;
  /** Snapshots of the host taken during the phase. 0: it fell between two, and everything here is interpolated. */
  readonly samples: number;
  /** Share of the phase that lies between snapshots, 0 to 1; below 1 sampling began late or ended early. */
  readonly coverageRatio: number;
  /** Longest time between two snapshots that bound or split the phase; large when the sampler was replaced. */
  readonly longestGapSeconds: number;
  readonly cpu?: CpuSummary;
  readonly memory?: MemorySummary;
  readonly processes?: ProcessesSummary;
  readonly disks?: DisksSummary;
  readonly pressure?: PressureReading;
  readonly paging?: PagingSummary;
  readonly gpus?: readonly GpuSummary[];
  /** Energy of the processors. */
  readonly rapl?: RaplSummary;
  readonly thermal?: ThermalSummary;
  readonly cpuThrottleEvents?: number;
}

/** Readings of collectors that not every sampler has. */
type Optional = Snapshot & {
  readonly gpus?: SummedGpus;
  readonly rapl?: SummedRapl;
  readonly thermal?: SummedThermal;
  readonly cpuClocks?: SummedClocks;
  readonly paging?: SummedPaging;
};

/** The parts of a summary: which reading each is made of, and how. A line here is all that a new one needs besides its file. */
const PARTS = {
  cpu: part((snapshot) => snapshot.cpu, createCpuFold),
  memory: part((snapshot) => snapshot.memory, createMemoryFold),
  processes: part(
    (snapshot) => snapshot.processes,
    (span) => createProcessesFold(span, span.usage),
  ),
  disks: part((snapshot) => snapshot.disks, createDisksFold),
  pressure: part((snapshot) => snapshot.pressure, createPressureFold),
  paging: part((snapshot) => snapshot.paging, createPagingFold),
  gpus: part((snapshot) => snapshot.gpus, createGpusFold),
  rapl: part((snapshot) => snapshot.rapl, createRaplFold),
  thermal: part((snapshot) => snapshot.thermal, createThermalFold),
  cpuThrottleEvents: part((snapshot) => snapshot.cpuClocks, createThrottleFold),
};

/** A reading's samples go to a fold for each span. Which types meet here is known where a part is made. */
interface Part {
  readonly read: (snapshot: Optional) => unknown;
  readonly createFold: (span: PhaseSpan) => Fold<unknown, unknown>;
}

function part<T, S>(
  read: (snapshot: Optional) => T | undefined,
  createFold: (span: PhaseSpan) => Fold<T, S>,
): Part {
  return { read, createFold: createFold as (span: PhaseSpan) => Fold<unknown, unknown> };
}

/**
 * Sums phases up while snapshots go by, of which it keeps only the last. Spans may overlap. The snapshots of each source come in the order
 * of their ticks, as samplers send them; a reading that is missing for a while is bridged by its neighbours.
 */
export class PhaseSummarizer {
  readonly #spans: readonly SpanFold[];
  readonly #last = new Map<string, Sample<unknown>>();

  constructor(spans: readonly (PhaseSpan & { readonly unfinished?: true })[]) {
    this.#spans = spans.map((span) => new SpanFold(span));
  }

  add(snapshot: Snapshot): void {
    const { tickNs } = snapshot;
    if (snapshot.source === 'host') this.#feed('host', { tickNs, value: undefined });
    for (const [name, { read }] of Object.entries<Part>(PARTS)) {
      const value = read(snapshot);
      if (value !== undefined) this.#feed(name, { tickNs, value });
    }
  }

  finish(): readonly PhaseSummary[] {
    return this.#spans.map((span) => span.finish());
  }

  #feed(name: string, sample: Sample<unknown>): void {
    const before = this.#last.get(name);
    // A sampler that was replaced may send what its predecessor has sent already.
    if (before !== undefined && sample.tickNs <= before.tickNs) return;
    this.#last.set(name, sample);
    for (const span of this.#spans) span.add(name, before, sample);
  }
}

/** Sums up phases of snapshots that are all at hand. */
export function summarizePhases(
  snapshots: readonly Snapshot[],
  spans: readonly (PhaseSpan & { readonly unfinished?: true })[],
): readonly PhaseSummary[] {
  const summarizer = new PhaseSummarizer(spans);
  for (const snapshot of snapshots) summarizer.add(snapshot);
  return summarizer.finish();
}

class SpanFold {
  readonly #span: PhaseSpan & { readonly unfinished?: true };
  readonly #folds: ReadonlyMap<string, Fold<unknown, unknown>>;
  #samples = 0;
  /** Of the steps of the host, which follow one another. */
  #covered: TimeSpan | undefined;
  #longestGapSeconds = 0;

  constructor(span: PhaseSpan) {
    this.#span = span;
    this.#folds = new Map(
      Object.entries<Part>(PARTS).map(([name, { createFold }]) => [name, createFold(span)]),
    );
  }

  add(name: string, before: Sample<unknown> | undefined, sample: Sample<unknown>): void {
    const { startNs, endNs } = this.#span;
    if (name === 'host' && sample.tickNs >= startNs && sample.tickNs <= endNs) this.#samples += 1;
    const step = before === undefined ? undefined : stepWithin(before, sample, this.#span);
    if (step === undefined) return;
    this.#folds.get(name)?.step(step);
    if (name !== 'host') return;
    this.#covered = {
      startNs: this.#covered?.startNs ?? later(step.from.tickNs, startNs),
      endNs: earlier(step.to.tickNs, endNs),
    };
    this.#longestGapSeconds = Math.max(this.#longestGapSeconds, step.seconds);
  }

  finish(): PhaseSummary {
    const { phase, subject, startNs, endNs, unfinished } = this.#span;
    const seconds = secondsBetween(startNs, endNs);
    const covered =
      this.#covered === undefined ? 0 : secondsBetween(this.#covered.startNs, this.#covered.endNs);
    const parts = [...this.#folds].map(([name, fold]) => [name, fold.finish()] as const);
    return {
      phase,
      ...(subject === undefined ? {} : { subject }),
      seconds,
      ...(unfinished === undefined ? {} : { unfinished }),
      samples: this.#samples,
      coverageRatio: covered > 0 ? covered / seconds : 0,
      longestGapSeconds: this.#longestGapSeconds,
      ...(Object.fromEntries(parts.filter(([, value]) => value !== undefined)) as Partial<PhaseSummary>),
    };
  }
}
