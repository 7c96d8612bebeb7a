import type { BenchResult } from '../benchmark/bench-result.ts';
import type { SpeedUp } from '../benchmark/compare.ts';
import { concatenated } from '../benchmark/concatenated.ts';
import { sortedCopy } from '../benchmark/latency-statistics.ts';
import {
  type CurvePoint,
  percentileCurve,
  type RoundPercentiles,
  roundPercentiles,
} from '../benchmark/percentile-curve.ts';
import type { RoundResult } from '../benchmark/round-result.ts';
import { type BenchSettings, processCount } from '../benchmark/settings.ts';
import type { SuiteRun } from './bench-suite.ts';
import type { HostFingerprint } from './host-fingerprint.ts';
import type { ReplayedTrace } from './open-trace.ts';
import type { TaskData } from './task-data.ts';

/** A model that was measured. */
export interface MeasuredModel {
  readonly variant: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: string;
}

/** Everything that a result depends on, and the result: what `bench --output` writes. */
export interface BenchReport {
  readonly format: 'ptq-agent-bench';
  readonly version: 1;
  readonly created: string;
  readonly command: readonly string[];
  readonly host: HostFingerprint;
  readonly models: readonly MeasuredModel[];
  readonly measurements: readonly MeasurementReport[];
}

interface MeasurementReport {
  /** Null where options said what to measure. */
  readonly suite: string | null;
  readonly name: string;
  readonly data: {
    readonly path: string;
    readonly split: string;
    readonly digest: string;
    readonly madeUp: boolean;
  };
  readonly batch: number;
  readonly threads: number;
  readonly settings: Omit<BenchSettings, 'trace'> & { readonly trace: ReplayedTrace | null };
  readonly results: readonly ResultReport[];
  readonly speedUps: readonly SpeedUp[];
}

interface ResultReport extends BenchResult {
  readonly latencyCurve: readonly CurvePoint[];
  readonly roundPercentiles: readonly RoundPercentiles[];
}

/** A measurement that was made, and the suite that it belongs to. */
export interface FinishedMeasurement extends SuiteRun {
  readonly data: TaskData;
  readonly dataDigest: string;
}

export interface ReportSubject extends Pick<BenchReport, 'created' | 'command' | 'host' | 'models'> {}

/** Puts a run together for its file: plain data, ready for JSON. */
export function benchReport(
  subject: ReportSubject,
  measurements: readonly FinishedMeasurement[],
): BenchReport {
  return {
    format: 'ptq-agent-bench',
    version: 1,
    ...subject,
    measurements: measurements.map(measurementReport),
  };
}

function measurementReport({
  suite,
  measurement,
  run,
  data,
  dataDigest,
}: FinishedMeasurement): MeasurementReport {
  const { name, batch, threads, settings, trace } = measurement;
  return {
    suite: suite === '' ? null : suite,
    name,
    data: {
      path: data.spec.path,
      split: data.split,
      digest: dataDigest,
      madeUp: data.spec.format === 'random',
    },
    batch,
    threads,
    settings: {
      ...settings,
      processes: processCount(settings, run.results.length),
      trace: trace ?? null,
    },
    results: run.results.map((result, index) => {
      const rounds = run.records[index]?.rounds ?? [];
      return {
        ...result,
        latencyCurve: percentileCurve(pooledLatencies(rounds)),
        roundPercentiles: roundPercentiles(rounds),
      };
    }),
    speedUps: run.speedUps,
  };
}

/** The latencies of all rounds, ascending, in nanoseconds. */
export function pooledLatencies(rounds: readonly RoundResult[]): Float64Array {
  return sortedCopy(concatenated(rounds.map(({ latencyNs }) => latencyNs)));
}
