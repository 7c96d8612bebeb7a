import { dirname, resolve } from 'node:path';
import { DEFAULT_TRACED_QUERIES } from '../core/bench-terms.ts';
import type { DataSpec } from '../core/data-spec.ts';
import type { SearchGoals } from '../core/goal.ts';
import { resolveDataSet } from './data.ts';
import { parseDurationSeconds } from './duration.ts';
import { type ExplainSettings, resolveExplain } from './explain-settings.ts';
import { parseLatencyGoal, parseSizeGoal } from './goal.ts';
import { type Measurement, resolveMeasurement } from './measurement.ts';
import type { ProfileSource } from './profile-schema.ts';
import type { RecipeSource, VariantRecipeSource } from './recipe-schema.ts';
import { resolveSchedule, type Schedule } from './schedule.ts';
import type { Suite } from './suite.ts';
import { measuresNumbers, type ProfileTask, resolveTask } from './task.ts';

/** A registered model, all defaults filled in and all paths absolute. */
export interface Profile {
  /** The profile's own file. */
  readonly file: string;
  /** Safe as a metric label and as a part of a path. */
  readonly name: string;
  readonly model: string;
  readonly data: {
    readonly set: DataSpec;
    readonly calibration: { readonly split: string; readonly samples: number };
    /** Without `samples`, all of the split. */
    readonly evaluation: { readonly split: string; readonly samples?: number };
    /** Of a recurrent model. */
    readonly states?: readonly ProfileState[];
  };
  readonly task: ProfileTask;
  readonly variants: readonly ProfileVariant[];
  readonly budget: AccuracyBudget;
  readonly bench: {
    readonly threads: number;
    /** What the profile itself says to measure. */
    readonly scenarios: readonly Measurement[];
    readonly suites: readonly Suite[];
    /** See `capturedSuite`. */
    readonly capture?: string;
  };
  readonly schedule: Schedule;
  /** What every run traces; nothing where it is absent. */
  readonly trace?: ProfileTrace;
  /** What full runs explain of new artifacts; nothing where it is absent. */
  readonly explain?: ExplainSettings;
}

/** What of a run is traced. */
export interface ProfileTrace {
  /** Queries of each variant in each measurement, and samples of each model. */
  readonly queries: number;
  readonly calibration: boolean;
  readonly evaluation: boolean;
  /** Names of suites, or of single measurements as `suite/measurement`; all unless given. */
  readonly measurements?: readonly string[];
}

/** An output that is an input of the next run, and the dimensions of the first where the model does not tell. */
export interface ProfileState {
  readonly output: string;
  readonly input: string;
  readonly dims?: readonly number[];
}

export interface ProfileVariant {
  readonly name: string;
  readonly recipe: ProfileRecipe | AutoRecipe;
}

/** A search for the recipe that suits this host and the budget of the profile. */
export interface AutoRecipe extends Pick<RecipeSource, 'target' | 'include' | 'exclude'> {
  readonly format: 'auto';
  /** At most so many samples of the calibration split. */
  readonly samples: number;
  readonly goals: SearchGoals;
  readonly timeLimitSeconds?: number;
}

/**
 * How to quantize, as the profile says it. What it leaves out, the format's defaults fill in; only the number of
 * calibration samples comes from the profile.
 */
export type ProfileRecipe = RecipeSource;

/** How much worse than fp32 a variant may be, and how surely that must be known. */
export interface AccuracyBudget {
  /** The task's first where it is absent. */
  readonly metric?: string;
  /** In units of the metric. */
  readonly absolute?: number;
  /** As a share of the fp32 value. */
  readonly relative?: number;
  /** For `sqnr_db`. */
  readonly atLeast?: number;
  readonly alpha?: number;
  readonly confidence?: number;
}

const DEFAULT_CALIBRATION_SAMPLES = 256;
/** One percentage point, for metrics that are proportions; of others nobody knows the scale. */
const DEFAULT_BUDGET: AccuracyBudget = { absolute: 0.01 };
const DEFAULT_RELATIVE_BUDGET: AccuracyBudget = { relative: 0.01 };
const DEFAULT_SCENARIOS = [{ scenario: 'single-stream' }, { scenario: 'offline' }] as const;

/** Fills in the defaults of a profile that its schema allows, and makes its paths absolute. @param suites those that it names */
export function resolveProfile(source: ProfileSource, file: string, suites: readonly Suite[]): Profile {
  const explain = resolveExplain(source.explain);
  const folder = dirname(file);
  const task = resolveTask(source.task, folder);
  const calibrationSamples = source.data.calibration?.samples ?? DEFAULT_CALIBRATION_SAMPLES;
  const evaluationSamples = source.data.evaluation?.samples;
  return {
    file,
    name: source.name,
    model: resolve(folder, source.model),
    data: {
      set: resolveDataSet(source.data, folder, true),
      calibration: { split: source.data.calibration?.split ?? 'calib', samples: calibrationSamples },
      evaluation: {
        split: source.data.evaluation?.split ?? 'eval',
        ...(evaluationSamples === undefined ? {} : { samples: evaluationSamples }),
      },
      ...(source.data.states === undefined ? {} : { states: source.data.states }),
    },
    task,
    variants: source.variants.map(({ name, recipe }) => ({
      name,
      recipe: resolveRecipe(typeof recipe === 'string' ? { format: recipe } : recipe, calibrationSamples),
    })),
    budget: source.budget ?? (measuresNumbers(task) ? DEFAULT_RELATIVE_BUDGET : DEFAULT_BUDGET),
    bench: {
      threads: source.bench?.threads ?? 1,
      scenarios: (source.bench?.scenarios ?? (suites.length === 0 ? DEFAULT_SCENARIOS : [])).map((entry) =>
        resolveMeasurement(entry, folder),
      ),
      suites,
      ...(source.bench?.capture === undefined ? {} : { capture: source.bench.capture }),
    },
    schedule: resolveSchedule(source.schedule),
    ...(source.trace === undefined || source.trace === false ? {} : { trace: resolveTrace(source.trace) }),
    ...(explain === undefined ? {} : { explain }),
  };
}

function resolveTrace(source: true | Exclude<ProfileSource['trace'], boolean | undefined>): ProfileTrace {
  const { queries, calibration, evaluation, measurements } = source === true ? {} : source;
  return {
    queries: queries ?? DEFAULT_TRACED_QUERIES,
    calibration: calibration ?? true,
    evaluation: evaluation ?? true,
    ...(measurements === undefined ? {} : { measurements }),
  };
}

function resolveRecipe(source: VariantRecipeSource, calibrationSamples: number): ProfileVariant['recipe'] {
  const { format, maxLatency, maxSize, timeLimit, ...rest } = source;
  if (format !== 'auto') return resolveKnownRecipe({ ...rest, format }, calibrationSamples);
  const { target, include, exclude } = rest;
  const latency = maxLatency === undefined ? undefined : parseLatencyGoal(maxLatency);
  const size = maxSize === undefined ? undefined : parseSizeGoal(maxSize);
  const timeLimitSeconds = timeLimit === undefined ? undefined : parseDurationSeconds(timeLimit);
  return {
    format,
    samples: calibrationSamples,
    goals: {
      ...(latency === undefined ? {} : { maxLatency: latency }),
      ...(size === undefined ? {} : { maxSize: size }),
    },
    ...(target === undefined ? {} : { target }),
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(timeLimitSeconds === undefined ? {} : { timeLimitSeconds }),
  };
}

function resolveKnownRecipe(source: RecipeSource, calibrationSamples: number): ProfileRecipe {
  if (source.format !== 'static-int8' && source.format !== 'static-int16') return source;
  return { ...source, calibration: { samples: calibrationSamples, ...source.calibration } };
}
