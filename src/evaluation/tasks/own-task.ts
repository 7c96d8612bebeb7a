import { decodeFloat16 } from '../../core/float16.ts';
import type { Problem } from '../../core/problem.ts';
import { ok, type Result } from '../../core/result.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import type { Figures, Measure, MetricInfo, Task, TaskProblem } from '../task.ts';
import { areAlike, showShort } from './own-answers.ts';
import { createCaller, type OwnCaller } from './own-caller.ts';
import { type OwnFunction, readOwnModule } from './own-module.ts';
import { repeatByWeight } from './weighted-repeat.ts';

/**
 * Makes a task of a user's own JavaScript module, which says what is measured and how:
 *
 * ```js
 * // The median error of a model that estimates one number, against truths of the kind 'tensor'.
 * export const metrics = [{ name: 'median_error', label: 'median error', better: 'lower', unit: 'number' }];
 *
 * export function answer(outputs, item) {
 *   const value = outputs.estimate.data[0];
 *   return { value, error: Math.abs(value - item.truth.values[0]) };
 * }
 *
 * export function figures(answers) {
 *   if (answers.length === 0) return { median_error: null };
 *   const errors = answers.map((answer) => answer.error).sort((a, b) => a - b);
 *   const middle = (errors.length - 1) / 2;
 *   return { median_error: (errors[Math.floor(middle)] + errors[Math.ceil(middle)]) / 2 };
 * }
 *
 * export const same = (reference, candidate) => Math.abs(reference.value - candidate.value) < 0.01;
 * ```
 *
 * - `metrics`: 1 to 20 of `{ name, better, label?, unit? }`, the one to judge by first; `better` is `higher` or `lower`,
 *   `unit` is `number` or `proportion`.
 * - `answer(outputs, item)`: what to keep of one item. `outputs` are `{ type, dims, data }` by name, float16 as float32 and
 *   int64 as BigInt; `item` is what is known of it (`ItemFacts`). Data that is kept must be copied.
 * - `figures(answers, reference)`: a finite number or null for each metric, from any number of answers, some of them
 *   repeated; `reference` are the answers of the reference to the same items.
 * - `same(reference, candidate)`, optional: whether a user would notice no difference between two answers. Without it they
 *   must be alike in every value.
 * - `show(answer)`, optional: an answer in a few words; short JSON without it.
 * - `isRight(answer)`, optional: whether an answer is right, undefined if that is not known.
 * - `measure(answers, reference)`, optional, a faster way to the same figures: prepares them and returns a function of
 *   weights (how often each answer counts, or undefined) that returns the figures. Without it, `figures` is given each
 *   answer as often as it counts. The two are compared once.
 * - `againstReference`, optional: true if figures compare answers with the reference's instead of with truths.
 *
 * They may also be properties of the default export. All functions are synchronous. What they return is checked, and what
 * they throw becomes a problem `task-module-failed`, which the task's functions throw as a `ProblemError`.
 * @param path of the module, as problems name it
 */
export function adaptOwnTask(
  moduleExports: unknown,
  path: string,
): Result<Task<unknown>, TaskProblem | Problem<'task-module-invalid'>> {
  const read = readOwnModule(moduleExports, path);
  if (!read.ok) return read;
  const { metrics, againstReference, answer, figures, isRight, measure } = read.value;
  const { same = areAlike, show = showShort } = read.value;
  const caller = createCaller(path);
  return ok({
    name: 'own',
    metrics,
    againstReference,
    answer: (outputs, item) => {
      const value = caller.call('answer', answer, [decodeHalves(outputs), item], item.index);
      if (value === undefined) throw caller.failure('answer', 'it returns nothing', item.index);
      return ok(value);
    },
    same: (reference, candidate) => caller.callFor('boolean', 'same', same, [reference, candidate]),
    show: (value) => caller.callFor('string', 'show', show, [value]),
    ...(isRight === undefined
      ? {}
      : {
          isRight: (value) => {
            const right = caller.call('isRight', isRight, [value]);
            if (right === undefined || typeof right === 'boolean') return right;
            throw caller.failure('isRight', `it returns ${showShort(right)}, not a boolean or undefined`);
          },
        }),
    measure: (answers, reference) => {
      const repeating: Measure = (weights) => {
        const lists = [repeatByWeight(answers, weights), repeatByWeight(reference, weights)];
        return checkFigures(caller, 'figures', metrics, caller.call('figures', figures, lists));
      };
      if (measure === undefined) return repeating;
      const prepared = caller.callFor('function', 'measure', measure, [[...answers], [...reference]]);
      const fast: Measure = (weights) =>
        checkFigures(caller, 'measure', metrics, caller.call('measure', prepared as OwnFunction, [weights]));
      requireSameFigures(caller, fast(), repeating());
      return fast;
    },
  });
}

/** Spares the user's code the bits of half-precision numbers. */
function decodeHalves(outputs: NamedTensors): NamedTensors {
  const entries = Object.entries(outputs);
  if (!entries.some(([, { type }]) => type === 'float16')) return outputs;
  return Object.fromEntries(
    entries.map(([name, tensor]) => [
      name,
      tensor.type === 'float16'
        ? { ...tensor, type: 'float32', data: Float32Array.from(tensor.data as Uint16Array, decodeFloat16) }
        : tensor,
    ]),
  );
}

function checkFigures(
  caller: OwnCaller,
  name: string,
  metrics: readonly MetricInfo[],
  value: unknown,
): Figures {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw caller.failure(name, 'it must return an object with a figure for each metric');
  }
  const figures = new Map<string, unknown>(Object.entries(value));
  const unknown = [...figures.keys()].find((key) => !metrics.some((metric) => metric.name === key));
  if (unknown !== undefined)
    throw caller.failure(name, `it returns '${unknown}', which 'metrics' does not name`);
  return Object.fromEntries(
    metrics.map((metric) => {
      const figure = figures.get(metric.name);
      if (figure === null || (typeof figure === 'number' && Number.isFinite(figure)))
        return [metric.name, figure];
      const found = figure === undefined ? 'nothing' : showShort(figure);
      throw caller.failure(name, `'${metric.name}' is ${found}, where a finite number or null is needed`);
    }),
  );
}

/** Rounding may differ between the two ways, no more. */
const MEASURE_TOLERANCE = 1e-6;

function requireSameFigures(caller: OwnCaller, fast: Figures, repeating: Figures): void {
  for (const [name, figure] of Object.entries(repeating)) {
    const other = fast[name] ?? null;
    const isSame =
      figure === null || other === null
        ? figure === other
        : Math.abs(figure - other) <= MEASURE_TOLERANCE * Math.max(1, Math.abs(figure));
    if (!isSame) throw caller.failure('measure', `its '${name}' is ${other}, that of 'figures' is ${figure}`);
  }
}
