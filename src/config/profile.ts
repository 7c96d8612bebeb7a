import { dirname, resolve } from 'node:path';
import { type Problem, problem } from '../core/problem.ts';
import { parseDurationSeconds } from './duration.ts';
import type { ProfileSource } from './profile-schema.ts';
import { foreignSetting, type RecipeSource } from './recipe-schema.ts';
import type { YamlDocument } from './yaml-document.ts';

/** A registered model, all defaults filled in and all paths absolute. */
export interface Profile {
  /** The profile's own file. */
  readonly file: string;
  /** Safe as a metric label and as a part of a path. */
  readonly name: string;
  readonly model: string;
  readonly data: {
    readonly path: string;
    readonly calibration: { readonly split: string; readonly samples: number };
    /** Without `samples`, all of the split. */
    readonly evaluation: { readonly split: string; readonly samples?: number };
    /** Of a recurrent model. */
    readonly states?: readonly ProfileState[];
  };
  readonly task: 'classification' | 'fidelity';
  readonly variants: readonly ProfileVariant[];
  readonly budget: AccuracyBudget;
  readonly bench: {
    readonly threads: number;
    readonly scenarios: readonly BenchScenario[];
  };
}

/** An output that is an input of the next run, and the dimensions of the first where the model does not tell. */
export interface ProfileState {
  readonly output: string;
  readonly input: string;
  readonly dims?: readonly number[];
}

export interface ProfileVariant {
  readonly name: string;
  readonly recipe: ProfileRecipe;
}

/**
 * How to quantize, as the profile says it. What it leaves out, the format's defaults fill in; only the number of
 * calibration samples comes from the profile.
 */
export type ProfileRecipe = RecipeSource;

/** The largest drop of a metric against fp32 that is accepted. */
export interface AccuracyBudget {
  readonly metric: 'top1' | 'agreement';
  /** `absolute`: in units of the metric; `relative`: as a share of the fp32 value. */
  readonly kind: 'absolute' | 'relative';
  readonly maxDrop: number;
}

export interface BenchScenario {
  readonly scenario: 'single-stream' | 'offline';
  readonly durationSeconds: number;
}

type ScenarioSource = NonNullable<NonNullable<ProfileSource['bench']>['scenarios']>[number];

const DEFAULT_CALIBRATION_SAMPLES = 256;
const DEFAULT_MAX_DROP = 0.01;
const DEFAULT_DURATION = '10s';
const DEFAULT_SCENARIOS: readonly ScenarioSource[] = [{ scenario: 'single-stream' }, { scenario: 'offline' }];

/** Fills in the defaults of a profile that its schema allows, and makes its paths absolute. */
export function resolveProfile(source: ProfileSource, file: string): Profile {
  const folder = dirname(file);
  const task = source.task ?? 'fidelity';
  const calibrationSamples = source.data.calibration?.samples ?? DEFAULT_CALIBRATION_SAMPLES;
  const evaluationSamples = source.data.evaluation?.samples;
  return {
    file,
    name: source.name,
    model: resolve(folder, source.model),
    data: {
      path: resolve(folder, source.data.path),
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
    budget: resolveBudget(source.budget, task),
    bench: {
      threads: source.bench?.threads ?? 1,
      scenarios: (source.bench?.scenarios ?? DEFAULT_SCENARIOS).map((entry) => ({
        scenario: entry.scenario,
        durationSeconds: durationOf(entry),
      })),
    },
  };
}

/** What the schema cannot say: names that clash, a metric without its labels, durations of nothing. */
export function profileRuleProblems(
  source: ProfileSource,
  document: YamlDocument,
): readonly Problem<'invalid-value'>[] {
  const found: Problem<'invalid-value'>[] = [];
  const report = (field: string, message: string, hint: string): void => {
    found.push(problem('invalid-value', message, { place: document.placeOf(field, 'value'), hint }));
  };

  source.variants.forEach(({ name, recipe }, index) => {
    const field = `/variants/${index}/name`;
    const foreign = typeof recipe === 'string' ? undefined : foreignSetting(recipe);
    if (foreign !== undefined && typeof recipe !== 'string') {
      report(
        `/variants/${index}/recipe/${foreign.setting}`,
        `the format ${recipe.format} has no setting "${foreign.setting}"`,
        `it has ${foreign.known.join(', ')}`,
      );
    }
    if (name === 'fp32') {
      report(
        field,
        'the variant name "fp32" is reserved for the model itself',
        'give the variant another name',
      );
    } else if (source.variants.findIndex((other) => other.name === name) < index) {
      report(field, `there are two variants named "${name}"`, 'give each variant a name of its own');
    }
  });
  const scenarios = source.bench?.scenarios ?? [];
  scenarios.forEach((entry, index) => {
    const field = `/bench/scenarios/${index}`;
    if (durationOf(entry) <= 0) {
      report(
        `${field}/duration`,
        `"duration" is "${entry.duration}", but must be more than zero`,
        'such as 4s',
      );
    }
    if (scenarios.findIndex((other) => other.scenario === entry.scenario) < index) {
      report(`${field}/scenario`, `the scenario "${entry.scenario}" is given twice`, 'keep one of the two');
    }
  });
  if (source.budget?.metric === 'top1' && source.task !== 'classification') {
    report(
      '/budget/metric',
      'the metric top1 needs the task classification',
      'set "task: classification", or use the metric agreement',
    );
  }
  return found;
}

function resolveRecipe(source: RecipeSource, calibrationSamples: number): ProfileRecipe {
  if (source.format !== 'static-int8' && source.format !== 'static-int16') return source;
  return { ...source, calibration: { samples: calibrationSamples, ...source.calibration } };
}

function resolveBudget(source: ProfileSource['budget'], task: Profile['task']): AccuracyBudget {
  const metric = source?.metric ?? (task === 'classification' ? 'top1' : 'agreement');
  return source?.relative === undefined
    ? { metric, kind: 'absolute', maxDrop: source?.absolute ?? DEFAULT_MAX_DROP }
    : { metric, kind: 'relative', maxDrop: source.relative };
}

function durationOf(entry: ScenarioSource): number {
  return parseDurationSeconds(entry.duration ?? DEFAULT_DURATION) ?? 0;
}
