import type { ItemFacts } from '../../core/item.ts';
import { problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { NamedTensors } from '../../core/tensor.ts';
import { numericValues } from '../numeric-values.ts';
import type { Task, TaskProblem } from '../task.ts';

/** Which output of the model a task reads. */
export interface OutputChoice {
  /** The model's outputs that hold numbers, in the model's order. */
  readonly outputs: readonly string[];
  /** The one to read; the first of `outputs` where it is absent. */
  readonly output?: string;
}

/** One output for one item, as numbers. They may lie in the runtime's own memory: what is kept has to be copied. */
export interface OutputValues {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
}

/**
 * How a task answers that reads one output of the model.
 * @param invalid what is wrong with its settings, which is then the answer to every item
 */
export function answerFromOutput<Answer>(
  settings: OutputChoice,
  read: (output: OutputValues, item: ItemFacts) => Result<Answer, TaskProblem>,
  invalid?: TaskProblem,
): Task<Answer>['answer'] {
  return (tensors, item) => {
    if (invalid !== undefined) return err(invalid);
    const output = readOutput(tensors, settings, item);
    return output.ok ? read(output.value, item) : output;
  };
}

/** Takes the output that a task reads out of what the model gave. Problems: `output-missing`, `output-unsupported`. */
export function readOutput(
  tensors: NamedTensors,
  { outputs, output }: OutputChoice,
  item: ItemFacts,
): Result<OutputValues, TaskProblem> {
  const name = output ?? outputs[0];
  if (name === undefined) {
    return err(
      problem('output-missing', 'the model has no output that holds numbers', {
        place: { sample: item.index },
        hint: 'choose a task that reads what the model gives',
      }),
    );
  }
  const place = { tensor: name, sample: item.index };
  const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
  if (tensor === undefined) {
    return err(
      problem(
        'output-missing',
        `the model has no output '${name}'; it has ${Object.keys(tensors).join(', ')}`,
        { place, hint: 'name one of the outputs that the model has' },
      ),
    );
  }
  const values = numericValues(tensor);
  if (values !== undefined) return ok({ name, dims: tensor.dims, values });
  return err(
    problem('output-unsupported', `output '${name}' holds text, where the task reads numbers`, {
      place,
      hint: 'name an output that holds numbers',
    }),
  );
}
