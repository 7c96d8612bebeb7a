import type { Problem } from '../../core/problem.ts';
import { summarizeVariant } from '../bench-result.ts';
import { geometricMeanInterval } from '../confidence-interval.ts';
import { mergeProcesses } from '../merge-processes.ts';
import type { BenchSettings } from '../settings.ts';
import type { VariantRecord } from '../variant-record.ts';
import type { SweepConfiguration } from './configurations.ts';

/** What a configuration showed, ready for JSON. */
export interface SweepRow extends SweepConfiguration {
  readonly valid: boolean;
  /** Sentences; empty when valid. */
  readonly invalidReasons: readonly string[];
  /** Why it was not measured to the end. */
  readonly failure: Problem | null;
  readonly queries: number;
  /** Time spent measuring. */
  readonly durationSeconds: number;
  /** Samples per second over all repetitions; null where nothing was measured. */
  readonly throughput: number | null;
  /** 95 % interval from the scatter between repetitions, each in a process of its own; null for fewer than two. */
  readonly throughputInterval: { readonly lower: number; readonly upper: number } | null;
  readonly repetitions: readonly { readonly repetition: number; readonly throughput: number }[];
  /** Of a query, which is one run of the model. A percentile is null where there are too few of them. */
  readonly latencySeconds: { readonly p50: number | null; readonly p99: number | null };
  readonly cpuSecondsPerSample: number | null;
  readonly peakRssBytes: number | null;
}

const CONFIDENCE = 0.95;

/** The row of a configuration from its repetitions, at least one. `settings` are those of all repetitions together. */
export function sweepRow(
  configuration: SweepConfiguration,
  records: readonly { readonly repetition: number; readonly record: VariantRecord }[],
  settings: BenchSettings,
): SweepRow {
  const merged = mergeProcesses(
    records.map(({ repetition, record }) => ({
      ...record,
      rounds: record.rounds.map((round) => ({ ...round, index: repetition, process: repetition })),
    })),
  );
  const result = summarizeVariant(merged, { ...settings, concurrency: configuration.concurrency });
  const repetitions = result.rounds.map(({ round, throughput }) => ({ repetition: round, throughput }));
  const interval = geometricMeanInterval(
    repetitions.map(({ throughput }) => throughput),
    CONFIDENCE,
  );
  const { cpuSeconds, samples, latencySeconds } = result;
  return {
    ...configuration,
    valid: result.valid,
    invalidReasons: result.invalidReasons,
    failure: merged.failure,
    queries: result.queries,
    durationSeconds: result.durationSeconds,
    throughput: result.throughput,
    throughputInterval: interval === null ? null : { lower: interval.lower, upper: interval.upper },
    repetitions,
    latencySeconds: { p50: latencySeconds?.p50 ?? null, p99: latencySeconds?.p99 ?? null },
    cpuSecondsPerSample: cpuSeconds === null || samples === 0 ? null : cpuSeconds / samples,
    peakRssBytes: result.peakRssBytes,
  };
}
