import type { SweepConfiguration } from '../../src/benchmark/sweep/configurations.ts';
import type { SweepRow } from '../../src/benchmark/sweep/sweep-row.ts';

export interface RowFigures {
  /** One for each repetition. */
  readonly throughputs: readonly number[];
  readonly p99: number | null;
  readonly peakRssBytes?: number;
  readonly valid?: boolean;
}

/** A row of a sweep with these figures; model `a`, batch 1, one thread and one lane unless given. */
export function rowOf(
  configuration: Partial<SweepConfiguration>,
  { throughputs, p99, peakRssBytes = 2 ** 20, valid = true }: RowFigures,
): SweepRow {
  const isMeasured = throughputs.length > 0;
  const mean = throughputs.reduce((sum, throughput) => sum + throughput, 0) / throughputs.length;
  return {
    model: 'a',
    batch: 1,
    threads: 1,
    concurrency: 1,
    oversubscribed: false,
    ...configuration,
    valid,
    invalidReasons: valid ? [] : ['the host was busy'],
    failure: isMeasured ? null : { kind: 'worker-crashed', message: 'it died' },
    queries: isMeasured ? 200 : 0,
    durationSeconds: isMeasured ? 2 : 0,
    throughput: isMeasured ? mean : null,
    throughputInterval: isMeasured ? { lower: mean * 0.9, upper: mean * 1.1 } : null,
    repetitions: throughputs.map((throughput, repetition) => ({ repetition, throughput })),
    latencySeconds: { p50: p99 === null ? null : p99 / 2, p99 },
    cpuSecondsPerSample: isMeasured ? 1 / mean : null,
    peakRssBytes: isMeasured ? peakRssBytes : null,
  };
}
