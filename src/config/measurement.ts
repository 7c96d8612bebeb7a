import { resolve } from 'node:path';
import type { Preset, Scenario, TraceFormat } from '../core/bench-terms.ts';
import type { Device } from '../core/device.ts';
import type { Sampling } from '../core/sampling.ts';
import { parseDurationSeconds } from './duration.ts';
import type { MeasurementSource } from './measurement-schema.ts';

/** One thing to measure of every variant: a scenario with its settings. What is absent, the preset or the scenario decides. */
export interface Measurement {
  /** Safe as a metric label; the scenario unless it has a name of its own. */
  readonly name: string;
  readonly scenario: Scenario;
  readonly preset: Preset;
  readonly durationSeconds?: number;
  readonly maxDurationSeconds?: number;
  readonly minQueries?: number;
  readonly rounds?: number;
  readonly processes?: number;
  readonly seed?: number;
  readonly ratePerSecond?: number;
  readonly rateShare?: number;
  readonly rampFromPerSecond?: number;
  readonly concurrency?: number;
  readonly batch?: number;
  readonly threads?: number;
  readonly device?: Device;
  readonly samplesPerQuery?: number;
  readonly latencyBoundSeconds?: number;
  readonly percentile?: number;
  readonly graceSeconds?: number;
  readonly maxOtherCpuCores?: number;
  /** How often the host is sampled while it is measured. */
  readonly sampling?: Sampling;
  readonly trace?: MeasurementTrace;
}

/** Recorded arrivals, and what becomes of them, in this order: a window, a speed or a rate, repetitions. */
export interface MeasurementTrace {
  readonly file: string;
  readonly format?: TraceFormat;
  readonly fromSeconds?: number;
  readonly toSeconds?: number;
  readonly speed?: number;
  readonly ratePerSecond?: number;
  readonly loop?: number;
}

type Setting = Exclude<keyof MeasurementSource, 'scenario'>;

const EVERYWHERE: readonly Setting[] = [
  'name',
  'preset',
  'duration',
  'maxDuration',
  'queries',
  'rounds',
  'processes',
  'seed',
  'batch',
  'threads',
  'device',
  'grace',
  'maxOtherCpuCores',
  'sampling',
];
const SCHEDULED: readonly Setting[] = ['concurrency', 'rate', 'rateShare', 'latencyBound', 'percentile'];

/** What a scenario can be told beyond that. */
const OWN_SETTINGS: Readonly<Record<Measurement['scenario'], readonly Setting[]>> = {
  'single-stream': [],
  'multi-stream': ['concurrency', 'samplesPerQuery'],
  server: SCHEDULED,
  offline: ['concurrency'],
  'closed-loop': ['concurrency'],
  'constant-rate': SCHEDULED,
  ramp: [...SCHEDULED, 'rampFrom'],
  replay: ['concurrency', 'latencyBound', 'percentile', 'trace'],
};

/** What a replay takes from its trace. */
const NOT_IN_REPLAY: readonly Setting[] = ['preset', 'duration', 'queries'];

/** The settings that a scenario can be told, its name among them. */
export function settingsOf(scenario: Measurement['scenario']): readonly Setting[] {
  const common =
    scenario === 'replay' ? EVERYWHERE.filter((name) => !NOT_IN_REPLAY.includes(name)) : EVERYWHERE;
  return [...common, ...OWN_SETTINGS[scenario]];
}

/** Fills in the defaults of a measurement that its schema allows. @param folder that of the file, for the trace */
export function resolveMeasurement(source: MeasurementSource, folder: string): Measurement {
  const {
    scenario,
    name,
    preset,
    duration,
    maxDuration,
    latencyBound,
    grace,
    queries,
    rate,
    rampFrom,
    trace,
  } = source;
  const {
    rounds,
    processes,
    seed,
    rateShare,
    concurrency,
    batch,
    threads,
    device,
    samplesPerQuery,
    percentile,
    maxOtherCpuCores,
    sampling,
  } = source;
  return {
    name: name ?? scenario,
    scenario,
    preset: preset ?? 'quick',
    ...given({
      durationSeconds: seconds(duration),
      maxDurationSeconds: seconds(maxDuration),
      minQueries: queries,
      rounds,
      processes,
      seed,
      ratePerSecond: rate,
      rateShare,
      rampFromPerSecond: rampFrom,
      concurrency,
      batch,
      threads,
      device,
      samplesPerQuery,
      latencyBoundSeconds: seconds(latencyBound),
      percentile,
      graceSeconds: seconds(grace),
      maxOtherCpuCores,
      sampling,
      trace: trace === undefined ? undefined : resolveTrace(trace, folder),
    }),
  };
}

function resolveTrace(trace: NonNullable<MeasurementSource['trace']>, folder: string): MeasurementTrace {
  const { file, format, from, to, speed, rate, loop } = trace;
  return {
    file: resolve(folder, file),
    ...given({
      format,
      fromSeconds: seconds(from),
      toSeconds: seconds(to),
      speed,
      ratePerSecond: rate,
      loop,
    }),
  };
}

/** The fields that are there. */
export function given<T extends object>(
  fields: T,
): { readonly [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function seconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDurationSeconds(text);
}

type Report = (field: string, message: string, hint: string) => void;

/** What the schema of measurements cannot say. @param root the JSON pointer of the list */
export function reportMeasurements(
  sources: readonly MeasurementSource[],
  root: string,
  report: Report,
): void {
  sources.forEach((source, index) => {
    const at = `${root}/${index}`;
    const own = (field: string, message: string, hint: string) => report(`${at}${field}`, message, hint);
    reportForeign(source, own);
    reportAmounts(source, own);
    reportTrace(source, own);
    const name = source.name ?? source.scenario;
    const before = sources.slice(0, index).some((other) => (other.name ?? other.scenario) === name);
    if (!before) return;
    if (source.name === undefined)
      own(
        '/scenario',
        `the scenario "${name}" is given twice`,
        'give one of them a "name" of its own, or keep one',
      );
    else own('/name', `there are two measurements named "${name}"`, 'give each a name of its own');
  });
}

/** A setting that the scenario has no use for is a mistake, not ignored. */
function reportForeign(source: MeasurementSource, report: Report): void {
  const { scenario } = source;
  const known = settingsOf(scenario);
  for (const setting of Object.keys(source).filter((field) => field !== 'scenario')) {
    if ((known as readonly string[]).includes(setting)) continue;
    const hint =
      setting === 'concurrency'
        ? 'closed-loop keeps several queries under way'
        : `it has ${known.join(', ')}`;
    report(`/${setting}`, `the scenario ${scenario} has no setting "${setting}"`, hint);
  }
  if (scenario === 'replay' && source.trace === undefined)
    report('', 'a replay needs a "trace"', 'such as trace: { file: arrivals.jsonl }');
}

function reportAmounts(source: MeasurementSource, report: Report): void {
  for (const field of ['duration', 'maxDuration', 'latencyBound', 'grace'] as const) {
    if (seconds(source[field]) === 0)
      report(`/${field}`, `"${field}" is "${source[field]}", but must be more than zero`, 'such as 4s');
  }
  const { duration, maxDuration, rate, rateShare, percentile, latencyBound } = source;
  if (
    duration !== undefined &&
    maxDuration !== undefined &&
    (seconds(maxDuration) ?? 0) < (seconds(duration) ?? 0)
  )
    report(
      '/maxDuration',
      `"maxDuration" is ${maxDuration}, less than the duration of ${duration}`,
      'give more time',
    );
  if (rate !== undefined && rateShare !== undefined)
    report('/rateShare', '"rate" and "rateShare" say the same in two ways', 'keep one of the two');
  if (percentile === undefined) return;
  if (!isWholePermille(percentile))
    report('/percentile', `"percentile" is ${percentile}, which is no step of 0.1`, 'such as 99 or 99.9');
  if (latencyBound === undefined)
    report('/percentile', 'a percentile is judged by a bound', 'add "latencyBound", such as 50ms');
}

/** Whether a percentile can be told in thousandths. */
export function isWholePermille(percentile: number): boolean {
  return Math.abs(percentile * 10 - Math.round(percentile * 10)) < 1e-9;
}

function reportTrace({ trace }: MeasurementSource, report: Report): void {
  if (trace === undefined) return;
  const { from, to, speed, rate } = trace;
  if (to !== undefined && (seconds(to) ?? 0) <= (seconds(from) ?? 0))
    report(
      '/trace/to',
      `"to" is ${to}, which is not after "from"`,
      'give two times of the trace, the earlier one first',
    );
  if (speed !== undefined && rate !== undefined)
    report('/trace/rate', '"speed" and "rate" both say how fast', 'keep one of the two');
}
