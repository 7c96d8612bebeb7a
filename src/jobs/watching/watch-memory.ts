import { type LatencyMemory, NO_RUNS } from '../../benchmark/watch/latency-watch.ts';
import { type AccuracyMemory, NO_EVALUATIONS } from '../../evaluation/watch/accuracy-watch.ts';
import type { WatchedSeries } from '../../store/watched.ts';
import type { PointFacts } from './point-facts.ts';

/** What is remembered of a series beside its state, by whoever reads results. */
interface Remembered<Watch> {
  readonly format: 1;
  readonly watch: Watch;
  /** What the last figure depended on that was as expected. */
  readonly good: PointFacts | null;
}

export interface LatencySeriesMemory extends Remembered<LatencyMemory> {
  /** As the last run had them; they name the series in metrics. */
  readonly provider: string;
  readonly scenario: string;
  /** When the daemon ordered runs by itself, within the last day, in milliseconds since the Unix epoch. */
  readonly confirmedMs: readonly number[];
}

export interface AccuracySeriesMemory extends Remembered<AccuracyMemory> {
  /** How much a metric that is a ratio is below that of the baseline; null where that is not known. */
  readonly drop: { readonly metric: string; readonly ratio: number } | null;
}

/** What was remembered; the beginning where nothing was, or a version wrote it that remembered otherwise. */
export function latencyMemoryOf(series: Pick<WatchedSeries, 'memory'> | undefined): LatencySeriesMemory {
  return (
    known<LatencySeriesMemory>(series) ?? {
      format: 1,
      watch: NO_RUNS,
      good: null,
      provider: '',
      scenario: '',
      confirmedMs: [],
    }
  );
}

export function accuracyMemoryOf(series: Pick<WatchedSeries, 'memory'> | undefined): AccuracySeriesMemory {
  return known<AccuracySeriesMemory>(series) ?? { format: 1, watch: NO_EVALUATIONS, good: null, drop: null };
}

function known<Memory>(series: Pick<WatchedSeries, 'memory'> | undefined): Memory | undefined {
  const memory = series?.memory as { readonly format?: unknown } | null | undefined;
  return memory?.format === 1 ? (memory as Memory) : undefined;
}

/** What later runs may be held against, and so is not to be removed. */
export interface Pins {
  /** Hashes of artifacts. */
  readonly artifacts: ReadonlySet<string>;
  /** Names of files of golden outputs, with their ending. */
  readonly golden: ReadonlySet<string>;
}

export function pinsOf(series: readonly WatchedSeries[]): Pins {
  const artifacts = new Set<string>();
  const golden = new Set<string>();
  for (const one of series) {
    const good = one.kind === 'latency' ? latencyMemoryOf(one).good : accuracyMemoryOf(one).good;
    if (good?.artifact !== undefined) artifacts.add(good.artifact);
    if (one.kind !== 'accuracy') continue;
    const { baseline } = accuracyMemoryOf(one).watch;
    if (baseline?.artifact != null) artifacts.add(baseline.artifact);
    if (baseline?.outputs != null) golden.add(`${baseline.outputs}.outputs`);
  }
  return { artifacts, golden };
}
