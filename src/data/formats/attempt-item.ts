import { attemptAsync, type Problem, ProblemError } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';

/** `attemptAsync` for something about one item, whose position becomes part of the problem's place. */
export function attemptItem<T>(
  path: string,
  index: number,
  action: () => Promise<T>,
): Promise<Result<T, Problem>> {
  return attemptAsync(async () => {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      throw new ProblemError({
        ...error.problem,
        place: { file: path, ...error.problem.place, sample: index },
      });
    }
  });
}
