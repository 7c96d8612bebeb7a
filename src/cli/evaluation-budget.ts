import { knownMetrics, type ProfileTask } from '../config/task.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EvaluationBudget } from '../jobs/evaluate-task.ts';

/** What a command line says about how much a candidate may lose. */
export interface BudgetOptions {
  readonly metric?: string;
  readonly maxDrop?: number;
  /** Whether `maxDrop` is a share of the reference's figure. */
  readonly relative: boolean;
  readonly minSqnr?: number;
  readonly alpha?: number;
  readonly confidence?: number;
}

const DEFAULT_BUDGET: EvaluationBudget = { relative: 0.01 };

/**
 * The budget of an evaluation: what the options say, over what the profile says. An allowance of the profile is kept only
 * for the metric that it was given for, as it means nothing in the unit of another.
 * Errors: `options-conflict` where an option would do nothing.
 * @param task of the evaluation
 * @param profile the budget and the task of the profile, where there is one
 */
export function evaluationBudget(
  options: BudgetOptions,
  task: ProfileTask,
  profile?: { readonly budget: EvaluationBudget; readonly task: ProfileTask },
): Result<EvaluationBudget, Problem<'options-conflict'>> {
  const conflict = findConflict(options, profile?.budget.metric);
  if (conflict !== undefined) return err(conflict);
  const { maxDrop, relative, minSqnr } = options;
  const ofProfile = isForTask(task, profile) ? profile?.budget : undefined;
  const ownMetric = ofProfile?.metric;
  const metric = options.metric ?? (minSqnr === undefined ? ownMetric : 'sqnr_db');
  const isSameMetric = (metric ?? firstMetric(task)) === (ownMetric ?? firstMetric(task));
  return ok({
    ...allowance(maxDrop, relative, minSqnr, isSameMetric ? ofProfile : undefined),
    ...present('metric', metric),
    ...present('alpha', options.alpha ?? profile?.budget.alpha),
    ...present('confidence', options.confidence ?? profile?.budget.confidence),
  });
}

function allowance(
  maxDrop: number | undefined,
  relative: boolean,
  minSqnr: number | undefined,
  own: EvaluationBudget = DEFAULT_BUDGET,
): EvaluationBudget {
  if (minSqnr !== undefined) return { atLeast: minSqnr };
  if (maxDrop !== undefined) return relative ? { relative: maxDrop } : { absolute: maxDrop };
  return {
    ...present('absolute', own.absolute),
    ...present('relative', own.relative),
    ...present('atLeast', own.atLeast),
  };
}

function findConflict(
  { metric, maxDrop, relative, minSqnr }: BudgetOptions,
  ofProfile: string | undefined,
): Problem<'options-conflict'> | undefined {
  const conflict = (message: string, hint: string) => problem('options-conflict', message, { hint });
  if (relative && maxDrop === undefined)
    return conflict('--relative says how --max-drop is meant, which is not given', 'give --max-drop as well');
  if (minSqnr !== undefined && (metric ?? 'sqnr_db') !== 'sqnr_db') {
    return conflict(
      `--min-sqnr is for the metric sqnr_db, not for ${metric}`,
      'give --max-drop, or --metric sqnr_db',
    );
  }
  const judged = metric ?? (minSqnr === undefined ? ofProfile : 'sqnr_db');
  if (maxDrop !== undefined && judged === 'sqnr_db')
    return conflict('--max-drop is not for the metric sqnr_db', 'give --min-sqnr, or another --metric');
  return undefined;
}

/** Metrics of one task say nothing about another. */
function isForTask(task: ProfileTask, profile: { readonly task: ProfileTask } | undefined): boolean {
  return profile !== undefined && profile.task.name === task.name && profile.task.module === task.module;
}

function firstMetric(task: ProfileTask): string | undefined {
  return knownMetrics(task)?.[0];
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
