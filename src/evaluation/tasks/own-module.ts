import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { MetricInfo } from '../task.ts';
import { showShort } from './own-answers.ts';

export type OwnFunction = (...args: readonly unknown[]) => unknown;

/** What a user's own module exports, checked; `adaptOwnTask` says what each export is. */
export interface OwnModule {
  readonly metrics: readonly MetricInfo[];
  readonly againstReference: boolean;
  readonly answer: OwnFunction;
  readonly figures: OwnFunction;
  readonly same?: OwnFunction;
  readonly show?: OwnFunction;
  readonly isRight?: OwnFunction;
  readonly measure?: OwnFunction;
}

const REQUIRED_FUNCTIONS = ['answer', 'figures'] as const;
const OPTIONAL_FUNCTIONS = ['same', 'show', 'isRight', 'measure'] as const;
const EXPORTS: readonly string[] = [
  'metrics',
  'againstReference',
  ...REQUIRED_FUNCTIONS,
  ...OPTIONAL_FUNCTIONS,
];

const MAX_METRICS = 20;
const METRIC_NAME = /^[a-z][a-z0-9_]{0,62}$/;

type OwnModuleProblem = Problem<'task-module-invalid'>;

export function readOwnModule(exported: unknown, path: string): Result<OwnModule, OwnModuleProblem> {
  const fail = (message: string, hint: string): { readonly ok: false; readonly error: OwnModuleProblem } =>
    err(problem('task-module-invalid', message, { place: { file: path }, hint }));

  const values = exportsOf(exported);
  if (values === undefined) {
    return fail('the module exports nothing', "export 'metrics', 'answer' and 'figures'");
  }
  // Such as `isright`, which would otherwise be left unused without a word.
  const misspelled = Object.keys(values).find(
    (name) => !EXPORTS.includes(name) && EXPORTS.some((known) => known.toLowerCase() === name.toLowerCase()),
  );
  if (misspelled !== undefined) {
    return fail(`the module exports '${misspelled}'`, `known are ${EXPORTS.join(', ')}`);
  }
  for (const name of [...REQUIRED_FUNCTIONS, ...OPTIONAL_FUNCTIONS]) {
    const fault = functionFault(
      values[name],
      REQUIRED_FUNCTIONS.some((required) => required === name),
    );
    if (fault !== undefined)
      return fail(`'${name}' of the module ${fault}`, `export a plain function '${name}'`);
  }
  const againstReference = values['againstReference'] ?? false;
  if (typeof againstReference !== 'boolean') {
    return fail(
      `'againstReference' of the module is ${showShort(againstReference)}`,
      'it must be true or false',
    );
  }
  const metrics = readMetrics(values['metrics']);
  if (typeof metrics === 'string') {
    return fail(
      metrics,
      `'metrics' must list 1 to ${MAX_METRICS} of { name, better: 'higher' or 'lower', label?, unit?: 'number' or 'proportion' }`,
    );
  }
  const functions = Object.fromEntries(
    [...REQUIRED_FUNCTIONS, ...OPTIONAL_FUNCTIONS].flatMap((name) =>
      values[name] === undefined ? [] : [[name, values[name]]],
    ),
  );
  return ok({ ...(functions as Omit<OwnModule, 'metrics' | 'againstReference'>), metrics, againstReference });
}

/** The named exports, or the properties of the default export where there is nothing else of use. */
function exportsOf(exported: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof exported !== 'object' || exported === null) return undefined;
  const values = exported as Readonly<Record<string, unknown>>;
  if (EXPORTS.some((name) => values[name] !== undefined)) return values;
  const inner = values['default'];
  if (typeof inner === 'object' && inner !== null) return inner as Readonly<Record<string, unknown>>;
  return Object.keys(values).length === 0 ? undefined : values;
}

function functionFault(value: unknown, isRequired: boolean): string | undefined {
  if (value === undefined) return isRequired ? 'is missing' : undefined;
  if (typeof value !== 'function') return `is ${showShort(value)}, not a function`;
  const isAsync = Object.prototype.toString.call(value) === '[object AsyncFunction]';
  return isAsync ? 'is asynchronous, but must return its value at once' : undefined;
}

/** Or what is wrong with them. */
function readMetrics(value: unknown): readonly MetricInfo[] | string {
  if (!Array.isArray(value))
    return value === undefined ? "'metrics' of the module is missing" : "'metrics' is no list";
  if (value.length === 0 || value.length > MAX_METRICS) return `'metrics' lists ${value.length} metrics`;
  const metrics: MetricInfo[] = [];
  for (const [index, entry] of value.entries()) {
    const metric = readMetric(entry);
    if (typeof metric === 'string') return `'metrics' entry ${index}: ${metric}`;
    if (metrics.some(({ name }) => name === metric.name)) return `'metrics' names '${metric.name}' twice`;
    metrics.push(metric);
  }
  return metrics;
}

function readMetric(entry: unknown): MetricInfo | string {
  if (typeof entry !== 'object' || entry === null) return `it is ${showShort(entry)}, not an object`;
  const {
    name,
    better,
    label = name,
    unit = 'number',
    ...others
  } = entry as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !METRIC_NAME.test(name)) {
    return `the name ${showShort(name)} is not a small letter with up to 62 small letters, digits and _ behind it`;
  }
  if (better !== 'higher' && better !== 'lower') return `'better' is ${showShort(better)}`;
  if (typeof label !== 'string' || label.trim() === '') return `'label' is ${showShort(label)}`;
  if (unit !== 'number' && unit !== 'proportion') return `'unit' is ${showShort(unit)}`;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `'${unknown}' is not known`;
  return { name, label, better, unit };
}
