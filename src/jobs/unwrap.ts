import { type Problem, ProblemError } from '../core/problem.ts';
import type { Result } from '../core/result.ts';

/** The value, or the problem thrown as a `ProblemError`, for a chain of steps inside one task. */
export function unwrap<T>(result: Result<T, Problem>): T {
  if (result.ok) return result.value;
  throw new ProblemError(result.error);
}

/** As `unwrap`, for a problem found in data whose reader does not know which file they came from. */
export function unwrapIn<T>(file: string, result: Result<T, Problem>): T {
  if (result.ok) return result.value;
  throw new ProblemError({ ...result.error, place: { file, ...result.error.place } });
}
