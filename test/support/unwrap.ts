import { formatProblem, type Problem } from '../../src/core/problem.ts';
import type { Result } from '../../src/core/result.ts';

/** The value of a result that must be there for the test to make sense. */
export function unwrap<T>(result: Result<T, Problem | readonly Problem[]>): T {
  if (result.ok) return result.value;
  throw new Error([result.error].flat().map(formatProblem).join('\n'));
}
