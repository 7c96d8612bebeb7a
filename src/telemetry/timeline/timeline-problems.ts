import { type Problem, ProblemError, problem } from '../../core/problem.ts';

export type TimelineReadProblem = Problem<'timeline-not-read' | 'timeline-malformed'>;

/** The file cannot be opened or read. */
export function notRead(file: string, error: unknown): ProblemError<'timeline-not-read'> {
  const reason = error instanceof Error ? error.message : String(error);
  return new ProblemError(
    problem('timeline-not-read', `The timeline ${file} cannot be read: ${reason}`, { place: { file } }),
  );
}

/** The file is no timeline at all. */
export function noTimeline(file: string, found: string, hint: string): ProblemError<'timeline-malformed'> {
  return new ProblemError(
    problem('timeline-malformed', `${file} is no timeline: ${found}`, { place: { file }, hint }),
  );
}

/** It is a timeline, and what lies at `offset` is not what a writer left there. */
export function damaged(
  file: string,
  offset: number,
  what: string,
  hint: string,
): ProblemError<'timeline-malformed'> {
  return new ProblemError(
    problem('timeline-malformed', `${file} is damaged at byte ${offset}: ${what}`, { place: { file }, hint }),
  );
}
