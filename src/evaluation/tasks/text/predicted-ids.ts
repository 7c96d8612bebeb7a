import type { ItemFacts } from '../../../core/item.ts';
import { problem } from '../../../core/problem.ts';
import { err, ok, type Result } from '../../../core/result.ts';
import type { NamedTensors } from '../../../core/tensor.ts';
import type { TaskProblem } from '../../task.ts';
import { type OutputChoice, type OutputValues, readOutput } from '../read-output.ts';

/** What a model says at each position: the class of a tag, a token of a vocabulary. */
export interface PredictedIds {
  readonly output: string;
  /** -1 where a score of the position is NaN. */
  readonly ids: Int32Array;
  /** Whether the model gave scores, of which the largest counts (the first of equals), or chose the ids itself. */
  readonly from: 'scores' | 'ids';
}

const FLOAT_TYPES: readonly string[] = ['float32', 'float64', 'float16'];

/**
 * Reads scores [1, T, classes], [T, 1, classes] or [T, classes], or integer ids [1, T], [T, 1] or [T]. Problems:
 * `output-missing`, `output-unsupported`, `output-shape-unexpected`.
 */
export function predictIds(
  tensors: NamedTensors,
  choice: OutputChoice,
  item: ItemFacts,
  classes: number,
): Result<PredictedIds, TaskProblem> {
  const output = readOutput(tensors, choice, item);
  if (!output.ok) return output;
  const { name, dims, values } = output.value;
  const type = tensors[name]?.type ?? 'float32';
  if (dims.length < 3 && !FLOAT_TYPES.includes(type)) return readIds(output.value, item, classes);
  const isScores = dims.length === 2 || (dims.length === 3 && (dims[0] === 1 || dims[1] === 1));
  if (!isScores || dims.at(-1) !== classes)
    return err(unexpectedShape(output.value, item, `scores [1, positions, ${classes}]`));
  return ok({ output: name, ids: largestOfEachRow(values, classes), from: 'scores' });
}

/** Whether no more than one axis has another size than 1. */
export function isVector(dims: readonly number[]): boolean {
  return dims.filter((dim) => dim !== 1).length <= 1;
}

export function unexpectedShape(
  { name, dims }: OutputValues,
  item: ItemFacts,
  expected: string,
): TaskProblem {
  return problem('output-shape-unexpected', `output '${name}' is [${dims}], but the task reads ${expected}`, {
    place: { tensor: name, sample: item.index },
    hint: 'name another output, or complete the list of names: the task needs one for each score of a position',
  });
}

function readIds(output: OutputValues, item: ItemFacts, classes: number): Result<PredictedIds, TaskProblem> {
  const { name, dims, values } = output;
  if (!isVector(dims)) return err(unexpectedShape(output, item, 'ids [1, positions]'));
  const ids = Int32Array.from(values);
  const unknown = ids.find((id) => id < 0 || id >= classes);
  if (unknown === undefined) return ok({ output: name, ids, from: 'ids' });
  return err(
    problem('output-unsupported', `output '${name}' holds the id ${unknown}; named are 0 to ${classes - 1}`, {
      place: { tensor: name, sample: item.index },
      hint: 'complete the list of names, in the order of the model',
    }),
  );
}

function largestOfEachRow(scores: ArrayLike<number>, columns: number): Int32Array {
  const rows = scores.length / columns;
  const ids = new Int32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const start = row * columns;
    let best = start;
    let largest = scores[start] as number;
    let hasNan = Number.isNaN(largest);
    for (let i = start + 1; i < start + columns; i += 1) {
      const score = scores[i] as number;
      if (score > largest) {
        largest = score;
        best = i;
      } else if (Number.isNaN(score)) {
        hasNan = true;
      }
    }
    ids[row] = hasNan ? -1 : best - start;
  }
  return ids;
}
