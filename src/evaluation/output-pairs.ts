import type { ItemFacts } from '../core/item.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { NamedTensors, Tensor } from '../core/tensor.ts';
import { numericValues } from './numeric-values.ts';
import type { TaskProblem } from './task.ts';

/** The outputs of both models for one item. The reference's may come from a cache: they are only read. */
export interface EvaluationItem extends ItemFacts {
  readonly reference: NamedTensors;
  readonly candidate: NamedTensors;
}

export type EvaluationProblem =
  | TaskProblem
  | Problem<'output-missing' | 'output-mismatch' | 'output-unsupported'>;

/** One output of both models as numbers, of the same length. */
export interface OutputPair {
  readonly reference: ArrayLike<number>;
  readonly candidate: ArrayLike<number>;
}

/** Takes one output of both models out of an item; undefined where they have different sizes. */
export function readOutputPair(
  item: EvaluationItem,
  name: string,
): Result<OutputPair | undefined, EvaluationProblem> {
  const reference = readOutput(item.reference, name, 'reference', item.index);
  if (!reference.ok) return reference;
  const candidate = readOutput(item.candidate, name, 'candidate', item.index);
  if (!candidate.ok) return candidate;
  const pair = { reference: reference.value, candidate: candidate.value };
  return ok(pair.reference.length === pair.candidate.length ? pair : undefined);
}

/** What to say where outputs must have one size and do not. */
export function sizesDiffer(item: EvaluationItem, name: string): EvaluationProblem {
  const dims = [item.reference, item.candidate].map((tensors) => `[${tensors[name]?.dims}]`);
  return problem(
    'output-mismatch',
    `output '${name}' is ${dims[0]} in the reference and ${dims[1]} in the candidate`,
    {
      place: { tensor: name, sample: item.index },
      hint: 'compare variants of one model; name a task for outputs whose size depends on the data',
    },
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
