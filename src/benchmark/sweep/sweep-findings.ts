import { geometricMeanInterval } from '../confidence-interval.ts';
import { type Objective, paretoFront } from '../statistics/pareto.ts';
import type { SweepRow } from './sweep-row.ts';

/** What a sweep says. Rows are named by their index. */
export interface SweepFindings {
  /** Whether only valid rows were looked at; not so where there is none. */
  readonly validOnly: boolean;
  /** The names of the figures that the front is about. */
  readonly objectives: readonly string[];
  /** Rows that no other beats in every figure. */
  readonly front: readonly number[];
  /** Rows that lack a figure, with its name, and so are nowhere. */
  readonly withoutFigure: readonly { readonly row: number; readonly missing: readonly string[] }[];
  readonly highestThroughput: number | null;
  /** Rows whose throughput the repetitions cannot tell from the highest. */
  readonly asHighThroughput: readonly number[];
  /** By the 99th percentile. */
  readonly lowestLatency: number | null;
  /** For each model with both. */
  readonly lanes: readonly LanesGain[];
}

/** The runtime's own threads, in one session, against sessions side by side: the best of each by throughput. */
export interface LanesGain {
  readonly model: string;
  readonly ownThreads: number;
  readonly lanes: number;
  /** Throughput of the lanes over that of the runtime's own threads. */
  readonly ratio: number;
  /** 95 % interval over the repetitions that both have; null for fewer than two. */
  readonly interval: { readonly lower: number; readonly upper: number } | null;
}

interface Indexed {
  readonly row: SweepRow;
  readonly index: number;
}

const THROUGHPUT: Objective<Indexed> = {
  name: 'throughput',
  better: 'higher',
  figure: ({ row }) => row.throughput,
};
const LATENCY: Objective<Indexed> = {
  name: 'p99',
  better: 'lower',
  figure: ({ row }) => row.latencySeconds.p99,
};
const CPU_TIME: Objective<Indexed> = {
  name: 'CPU time a sample',
  better: 'lower',
  figure: ({ row }) => row.cpuSecondsPerSample,
};
const MEMORY: Objective<Indexed> = {
  name: 'peak memory',
  better: 'lower',
  figure: ({ row }) => row.peakRssBytes,
};

/**
 * @param isScheduled whether queries came by a schedule: all then have the same throughput, which says nothing, and the front is
 * about latency and CPU time
 */
export function sweepFindings(
  rows: readonly SweepRow[],
  { withMemory, isScheduled = false }: { readonly withMemory: boolean; readonly isScheduled?: boolean },
): SweepFindings {
  const measured = rows
    .map((row, index): Indexed => ({ row, index }))
    .filter(({ row }) => row.throughput !== null);
  const valid = measured.filter(({ row }) => row.valid);
  const validOnly = valid.length > 0 || measured.length === 0;
  const candidates = validOnly ? valid : measured;
  const objectives = [isScheduled ? CPU_TIME : THROUGHPUT, LATENCY, ...(withMemory ? [MEMORY] : [])];
  const { front, excluded } = paretoFront(candidates, objectives);
  const highest = isScheduled ? null : best(candidates, THROUGHPUT);
  return {
    validOnly,
    objectives: objectives.map(({ name }) => name),
    front: front.map(({ index }) => index),
    withoutFigure: excluded.map(({ point, missing }) => ({ row: point.index, missing })),
    highestThroughput: highest?.index ?? null,
    asHighThroughput: candidates
      .filter((candidate) => candidate !== highest && highest !== null && !isBelow(candidate, highest))
      .map(({ index }) => index),
    lowestLatency: best(candidates, LATENCY)?.index ?? null,
    lanes: isScheduled ? [] : lanesGains(candidates),
  };
}

function best(candidates: readonly Indexed[], { figure, better }: Objective<Indexed>): Indexed | null {
  let found: Indexed | null = null;
  for (const candidate of candidates) {
    const value = figure(candidate);
    if (value === null) continue;
    const against = found === null ? null : figure(found);
    if (against === null || (better === 'higher' ? value > against : value < against)) found = candidate;
  }
  return found;
}

/** Whether the ratio to the highest lies below 1 in its interval; without one, any lower figure is below. */
function isBelow(candidate: Indexed, highest: Indexed): boolean {
  const ratio = pairedRatio(candidate.row, highest.row);
  return ratio === null || ratio.upper < 1;
}

function lanesGains(candidates: readonly Indexed[]): LanesGain[] {
  const models = [...new Set(candidates.map(({ row }) => row.model))];
  return models.flatMap((model) => {
    const own = candidates.filter(({ row }) => row.model === model && row.concurrency === 1);
    const many = candidates.filter(({ row }) => row.model === model && row.concurrency > 1);
    const ownThreads = best(own, THROUGHPUT);
    const lanes = best(many, THROUGHPUT);
    if (ownThreads === null || lanes === null) return [];
    const paired = pairedRatio(lanes.row, ownThreads.row);
    const ratio =
      paired?.estimate ?? (lanes.row.throughput as number) / (ownThreads.row.throughput as number);
    return {
      model,
      ownThreads: ownThreads.index,
      lanes: lanes.index,
      ratio,
      interval: paired === null ? null : { lower: paired.lower, upper: paired.upper },
    };
  });
}

/** The throughput of one row over that of another, repetition by repetition. */
function pairedRatio(row: SweepRow, over: SweepRow) {
  const ratios = row.repetitions.flatMap(({ repetition, throughput }) => {
    const against = over.repetitions.find((other) => other.repetition === repetition);
    return against === undefined ? [] : throughput / against.throughput;
  });
  return geometricMeanInterval(ratios, 0.95);
}
