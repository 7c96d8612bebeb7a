import type { Problem } from '../../core/problem.ts';
import { interleaveRounds } from '../interleave.ts';
import type { BenchSettings } from '../settings.ts';
import type { VariantRecord } from '../variant-record.ts';
import type { SweepConfiguration } from './configurations.ts';
import { type Refusal, refusalOf } from './refusals.ts';
import { type SweepRow, sweepRow } from './sweep-row.ts';

/** Configurations that were not run, with the one reason for all of them. */
export interface SkippedConfigurations {
  /** Null where it holds for every model. */
  readonly model: string | null;
  readonly configurations: readonly SweepConfiguration[];
  readonly problem: Problem;
}

export interface SweepMeasurements {
  readonly cancelled: boolean;
  /** One for each configuration that was run, in the order given. */
  readonly rows: readonly SweepRow[];
  readonly skipped: readonly SkippedConfigurations[];
}

export interface SweepProgress {
  readonly configuration: SweepConfiguration;
  /** Repetitions of configurations that are over or need not be run. */
  readonly done: number;
  readonly total: number;
}

export interface SweepControls {
  /** Measures one repetition of a configuration, in a process of its own. */
  readonly measure: (configuration: SweepConfiguration, settings: BenchSettings) => Promise<VariantRecord>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SweepProgress) => void;
}

interface Entry {
  readonly configuration: SweepConfiguration;
  readonly records: { readonly repetition: number; readonly record: VariantRecord }[];
}

/**
 * Measures configurations one at a time, each `settings.rounds` times, in an order that the seed decides and that is mirrored in
 * every other repetition, so that a drift of the host weighs on all alike. A configuration that fails is not repeated, and
 * the others go on; what its failure says about others is not tried again.
 * @param settings of one configuration: its repetitions share the durations and counts
 */
export async function runSweep(
  configurations: readonly SweepConfiguration[],
  settings: BenchSettings,
  { measure, signal, onProgress }: SweepControls,
): Promise<SweepMeasurements> {
  const entries = configurations.map((configuration): Entry => ({ configuration, records: [] }));
  const refusals: Refusal[] = [];
  const slots = interleaveRounds(entries.length, settings.rounds, settings.seed);
  for (const [done, { round: repetition, variant }] of slots.entries()) {
    const { configuration, records } = entries[variant] as Entry;
    if (isAborted(signal)) break;
    onProgress?.({ configuration, done, total: slots.length });
    const hasFailed = records.some(({ record }) => record.failure !== null);
    if (hasFailed || refusals.some(({ covers }) => covers(configuration))) continue;
    const record = await measure(configuration, settingsOfRepetition(settings, configuration, repetition));
    // One that was cut short before it measured anything has nothing to say.
    if (record.rounds.length > 0 || !isAborted(signal)) records.push({ repetition, record });
    const refusal = refusalOf(configuration, record, hasLoaded(entries, configuration.model));
    if (refusal !== null) refusals.push(refusal);
  }
  const last = entries.at(-1);
  if (last !== undefined && !isAborted(signal)) {
    onProgress?.({ configuration: last.configuration, done: slots.length, total: slots.length });
  }
  return {
    cancelled: isAborted(signal),
    rows: entries
      .filter(
        ({ configuration, records }) => records.length > 0 && !isCovered(configuration, records, refusals),
      )
      .map(({ configuration, records }) => sweepRow(configuration, records, settings)),
    skipped: refusals.map((refusal) => ({
      model: refusal.model,
      problem: refusal.problem,
      configurations: entries
        .filter(({ configuration }) => refusals.find(({ covers }) => covers(configuration)) === refusal)
        .map(({ configuration }) => configuration),
    })),
  };
}

/** A signal changes while a measurement is awaited. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Whether it is among the skipped ones; what was measured before that is kept. */
function isCovered(
  configuration: SweepConfiguration,
  records: Entry['records'],
  refusals: readonly Refusal[],
): boolean {
  const isMeasured = records.some(({ record }) => record.rounds.length > 0);
  return !isMeasured && refusals.some(({ covers }) => covers(configuration));
}

function hasLoaded(entries: readonly Entry[], model: string): boolean {
  return entries.some(
    ({ configuration, records }) =>
      configuration.model === model && records.some(({ record }) => record.loaded !== null),
  );
}

function settingsOfRepetition(
  settings: BenchSettings,
  { concurrency }: SweepConfiguration,
  repetition: number,
): BenchSettings {
  const { rounds, minDurationSeconds, maxDurationSeconds, minQueries, seed } = settings;
  return {
    ...settings,
    concurrency,
    rounds: 1,
    minDurationSeconds: minDurationSeconds / rounds,
    maxDurationSeconds: maxDurationSeconds / rounds,
    minQueries: Math.ceil(minQueries / rounds),
    seed: seed + repetition,
  };
}
