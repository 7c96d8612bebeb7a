import { type Problem, problem } from '../core/problem.ts';
import { dataRuleProblems } from './data.ts';
import { parseLatencyGoal, parseSizeGoal } from './goal.ts';
import { reportMeasurements } from './measurement.ts';
import type { Profile } from './profile.ts';
import type { ProfileSource } from './profile-schema.ts';
import { foreignSetting } from './recipe-schema.ts';
import { scheduleMistake } from './schedule.ts';
import { PROFILE_SUITE } from './suite.ts';
import { foreignTaskSetting, knownMetrics, missingTaskSetting, resolveTask } from './task.ts';
import type { YamlDocument } from './yaml-document.ts';

/** Names of measurements to trace that no suite of the profile has. */
export function traceRuleProblems(
  { trace, bench: { scenarios, suites } }: Profile,
  document: YamlDocument,
): readonly Problem<'invalid-value'>[] {
  const own = { name: PROFILE_SUITE, measurements: scenarios };
  const known = (scenarios.length === 0 ? suites : [own, ...suites]).flatMap(({ name, measurements }) => [
    name,
    ...measurements.map((measurement) => `${name}/${measurement.name}`),
  ]);
  return (trace?.measurements ?? []).flatMap((name, index) =>
    known.includes(name)
      ? []
      : [
          problem('invalid-value', `the profile has no suite or measurement "${name}"`, {
            place: document.placeOf(`/trace/measurements/${index}`, 'value'),
            hint: `it has ${known.join(', ')}`,
          }),
        ],
  );
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
  reportSearches(source, report);
  reportMeasurements(source.bench?.scenarios ?? [], '/bench/scenarios', report);
  reportTask(source, report);
  const mistake = scheduleMistake(source.schedule ?? {});
  if (mistake !== undefined)
    report(
      '/schedule/cron',
      mistake,
      'write minute hour day month weekday, such as "30 3 * * *" for half past three every night',
    );
  return [...found, ...dataRuleProblems(source.data, document, '/data')];
}

/** What a search cannot do, told before it is begun. */
function reportSearches(
  { variants, data, task, budget }: ProfileSource,
  report: (field: string, message: string, hint: string) => void,
): void {
  variants.forEach(({ recipe }, index) => {
    const field = `/variants/${index}/recipe`;
    const { format, maxLatency, maxSize } = typeof recipe === 'string' ? { format: recipe } : recipe;
    if (format !== 'auto') return;
    if (data.states !== undefined) {
      report(field, 'samples of a model that carries states cannot be divided for a search', 'name a format');
    }
    if (resolveTask(task, '/').name === 'fidelity' && budget?.atLeast === undefined) {
      report(
        field,
        'outputs that are plain numbers have no answers that a search could keep',
        'name a task, or say how close outputs must be: budget: { metric: sqnr_db, atLeast: 25 }',
      );
    }
    if (maxLatency !== undefined && parseLatencyGoal(maxLatency) === undefined)
      report(`${field}/maxLatency`, 'a goal of nothing cannot be reached', 'give it more than 0');
    if (maxSize !== undefined && parseSizeGoal(maxSize) === undefined)
      report(`${field}/maxSize`, 'a goal of nothing cannot be reached', 'give it more than 0');
  });
}

function reportTask(
  { task: written, budget }: ProfileSource,
  report: (field: string, message: string, hint: string) => void,
): void {
  const task = resolveTask(written, '/');
  if (typeof written === 'object' && (written.name === undefined) === (written.module === undefined)) {
    report(
      '/task',
      'a task is either one of the known ones or a module',
      'give "name" or "module", not both',
    );
  }
  const foreign = foreignTaskSetting(task);
  if (foreign !== undefined) {
    report(
      `/task/${foreign.setting}`,
      `the task ${task.name} has no setting "${foreign.setting}"`,
      foreign.known.length === 0 ? 'it has none' : `it has ${foreign.known.join(', ')}`,
    );
  }
  const missing = missingTaskSetting(task);
  if (missing !== undefined) {
    report(
      '/task',
      `the task ${task.name} needs "${missing}"`,
      `such as task: { name: ${task.name}, ${missing}: … }`,
    );
  }
  if (budget === undefined) return;
  const known = knownMetrics(task);
  if (known !== undefined && !known.includes(budget.metric)) {
    report(
      '/budget/metric',
      `the task ${task.name} has no metric "${budget.metric}"`,
      `it has ${known.join(', ')}`,
    );
  }
  if ((budget.metric === 'sqnr_db') !== (budget.atLeast !== undefined)) {
    report(
      '/budget',
      '"atLeast" and the metric sqnr_db belong together',
      'such as { metric: sqnr_db, atLeast: 20 }',
    );
  }
}
