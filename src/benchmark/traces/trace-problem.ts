import { ProblemError, problem } from '../../core/problem.ts';

/** A line or an entry that cannot be replayed. */
export function invalidTrace(
  message: string,
  place: { readonly file: string; readonly line?: number; readonly field?: string },
  hint: string,
): ProblemError<'trace-invalid'> {
  return new ProblemError(problem('trace-invalid', message, { place, hint }));
}

/** A file that holds no arrival. */
export function emptyTrace(file: string): ProblemError<'trace-empty'> {
  return new ProblemError(
    problem('trace-empty', 'the trace holds no arrivals', {
      place: { file },
      hint: 'name a file that something was recorded into',
    }),
  );
}

const MAX_SHOWN = 40;

/** A value as it stands in the file, for a message. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = String(value);
  const short = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return typeof value === 'string' ? `the text '${short}'` : short;
}
