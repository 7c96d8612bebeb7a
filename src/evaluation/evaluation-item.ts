import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import { numericValues } from './numeric-values.ts';

/** `classification`: the first output holds one score per class. `fidelity`: any outputs, compared as numbers. */
export type EvaluationTask = 'classification' | 'fidelity';

/** The outputs of both models for one item. The reference's may come from a cache: they are only read. */
export interface EvaluationItem {
  readonly index: number;
  readonly reference: NamedTensors;
  readonly candidate: NamedTensors;
}

export type EvaluationProblem = Problem<
  'output-missing' | 'output-mismatch' | 'output-unsupported' | 'not-class-scores' | 'label-out-of-range'
>;

/** One output of both models as numbers, of the same length. */
export interface OutputPair {
  readonly reference: ArrayLike<number>;
  readonly candidate: ArrayLike<number>;
}

/** Takes the outputs to compare out of an item, in the order of `outputs`, and checks that they can be compared. */
export function readOutputPairs(
  item: EvaluationItem,
  outputs: readonly string[],
): Result<readonly OutputPair[], EvaluationProblem> {
  const pairs: OutputPair[] = [];
  for (const name of outputs) {
    const reference = readOutput(item.reference, name, 'reference', item.index);
    if (!reference.ok) return reference;
    const candidate = readOutput(item.candidate, name, 'candidate', item.index);
    if (!candidate.ok) return candidate;
    if (reference.value.length !== candidate.value.length) {
      const dims = [item.reference, item.candidate].map((tensors) => `[${tensors[name]?.dims}]`);
      return err(
        problem(
          'output-mismatch',
          `output '${name}' is ${dims[0]} in the reference and ${dims[1]} in the candidate`,
          {
            place: { tensor: name, sample: item.index },
            hint: 'compare variants of one model; outputs whose size depends on the data cannot be compared by element',
          },
        ),
      );
    }
    pairs.push({ reference: reference.value, candidate: candidate.value });
  }
  return ok(pairs);
}

/** Checks that an output is one vector of class scores which the item's label fits. */
export function checkClassScores(
  item: EvaluationItem,
  output: string,
  label: number | undefined,
): Result<undefined, EvaluationProblem> {
  const dims = item.reference[output]?.dims ?? [];
  const axes = dims.filter((dim) => dim !== 1);
  const [classes] = axes;
  const place = { tensor: output, sample: item.index };
  if (axes.length !== 1 || classes === undefined || classes < 2) {
    return err(
      problem(
        'not-class-scores',
        `output '${output}' is [${dims}], which is not one score for each of several classes`,
        {
          place,
          hint: 'name the output with the class scores first, or evaluate the model with the task `fidelity`',
        },
      ),
    );
  }
  if (label === undefined || (Number.isInteger(label) && label >= 0 && label < classes)) return ok(undefined);
  return err(
    problem(
      'label-out-of-range',
      `the label is ${label}, but output '${output}' has the classes 0 to ${classes - 1}`,
      {
        place,
        hint: 'the labels must count classes from 0 in the order of the model',
      },
    ),
  );
}

function readOutput(
  tensors: NamedTensors,
  name: string,
  model: 'reference' | 'candidate',
  sample: number,
): Result<ArrayLike<number>, EvaluationProblem> {
  const place = { tensor: name, sample };
  const tensor: Tensor | undefined = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (tensor === undefined) {
    return err(
      problem(
        'output-missing',
        `the ${model} has no output '${name}'; it has ${Object.keys(tensors).join(', ')}`,
        {
          place,
          hint: 'compare variants of one model, which have the same outputs',
        },
      ),
    );
  }
  const values = numericValues(tensor);
  if (values !== undefined) return ok(values);
  return err(
    problem(
      'output-unsupported',
      `output '${name}' of the ${model} holds text, which cannot be compared as numbers`,
      {
        place,
        hint: 'leave this output out of the comparison',
      },
    ),
  );
}
