import type { Preset, Scenario } from '../core/bench-terms.ts';
import { minimumQueries } from './early-stopping.ts';
import { judgedPermille } from './scenario.ts';
import type { BenchSettings } from './settings.ts';

/** What a preset depends on besides its name. */
export interface PresetSubject {
  readonly scenario: Scenario;
  /** The percentile that a bound judges, in thousandths; the 99th unless given. */
  readonly latencyBoundPermille?: number | undefined;
  /** Samples that one run of the model works through. */
  readonly samplesPerRun?: number | undefined;
}

type PresetSettings = Partial<Pick<BenchSettings, 'minDurationSeconds' | 'minQueries'>>;

/** LoadGen's own defaults, for a look and for development. */
const QUICK = { minDurationSeconds: 10, minQueries: 100 };
const STANDARD_SECONDS = 60;
const MLPERF_SECONDS = 600;
const MLPERF_MULTI_STREAM_QUERIES = 662;
const MLPERF_OFFLINE_SAMPLES = 24_576;

/**
 * The durations and counts of a preset.
 *
 * - `quick`: 10 s and 100 queries.
 * - `standard`: 60 s, and the queries that an early-stopping estimate of the judged percentile takes.
 * - `mlperf`: 600 s, and the counts that MLPerf asks for: LoadGen's 100 queries in single-stream, 662 in multi-stream, 24,576
 *   samples in one offline query. Server has had none of its own since early stopping came; its floor is that of the
 *   judged percentile. Source: `loadgen/mlperf.conf` of MLPerf Inference and LoadGen's `test_settings.h`.
 *
 * Nothing for a replay, which is as long as its trace.
 */
export function presetSettings(preset: Preset, subject: PresetSubject): PresetSettings {
  const { scenario, samplesPerRun = 1 } = subject;
  if (scenario === 'replay') return {};
  switch (preset) {
    case 'quick':
      return QUICK;
    case 'standard':
      return {
        minDurationSeconds: STANDARD_SECONDS,
        minQueries: Math.max(QUICK.minQueries, floorOf(subject)),
      };
    case 'mlperf':
      return { minDurationSeconds: MLPERF_SECONDS, minQueries: mlperfQueries(subject, samplesPerRun) };
  }
}

function mlperfQueries(subject: PresetSubject, samplesPerRun: number): number {
  switch (subject.scenario) {
    case 'single-stream':
      return QUICK.minQueries;
    case 'multi-stream':
      return MLPERF_MULTI_STREAM_QUERIES;
    case 'offline':
      return Math.ceil(MLPERF_OFFLINE_SAMPLES / samplesPerRun);
    default:
      return Math.max(QUICK.minQueries, floorOf(subject));
  }
}

/** The fewest queries that an early-stopping estimate takes; none where throughput is what counts. */
function floorOf({ scenario, latencyBoundPermille }: PresetSubject): number {
  if (scenario === 'offline') return 0;
  return minimumQueries(latencyBoundPermille ?? judgedPermille(scenario) ?? 990);
}
