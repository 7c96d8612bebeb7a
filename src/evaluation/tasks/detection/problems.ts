import { ProblemError, problem } from '../../../core/problem.ts';
import type { TaskProblem } from '../../task.ts';

/** A setting that cannot be used; `field` is its place in the task's settings. */
export function invalidSetting(field: string, message: string, hint?: string): ProblemError {
  return new ProblemError<TaskProblem['kind']>(
    problem('task-settings-invalid', message, {
      place: { field },
      ...(hint === undefined ? {} : { hint }),
    }),
  );
}

/** An output that the model does not have. */
export function missingOutput(field: string, wanted: string, outputs: readonly string[]): ProblemError {
  const names = outputs.map((name) => `"${name}"`).join(', ');
  return new ProblemError<TaskProblem['kind']>(
    problem('output-missing', `${wanted}; its outputs are ${names}`, {
      place: { field },
      hint: `name one of the model's outputs with the setting ${field}`,
    }),
  );
}

/** An output whose dimensions the head cannot read. */
export function unexpectedDims(
  head: string,
  output: string,
  dims: readonly number[],
  expects: string,
  hint?: string,
): ProblemError {
  return new ProblemError<TaskProblem['kind']>(
    problem(
      'output-shape-unexpected',
      `the output "${output}" is [${dims.join(', ')}], and the head ${head} reads ${expects}`,
      {
        place: { tensor: output },
        hint: hint ?? 'choose the head that the model was exported with, or name another output',
      },
    ),
  );
}
