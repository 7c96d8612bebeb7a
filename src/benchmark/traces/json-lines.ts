import type { TraceLine } from './trace-file.ts';
import { invalidTrace, shown } from './trace-problem.ts';

export type TraceObject = Readonly<Record<string, unknown>>;

/** Parses one line that must be a JSON object. Throws a `ProblemError` of the kind `trace-invalid`. */
export function parseTraceObject({ text, line, isLast }: TraceLine, file: string): TraceObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidTrace(
      isLast
        ? 'the last line is not JSON and has no line ending: the file was cut short'
        : `the line is not JSON: ${(error as SyntaxError).message}`,
      { file, line },
      isLast
        ? 'copy the file again, or remove the line'
        : 'write one JSON object a line; JSON has no NaN and no Infinity',
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as TraceObject;
  throw invalidTrace(
    `the line holds ${shown(value)}, not an object`,
    { file, line },
    'write one JSON object a line',
  );
}

/**
 * A time of a line: a number from 0 that a double holds exactly enough. Throws a `ProblemError` of the kind
 * `trace-invalid`.
 * @param unit the plural, for messages
 */
export function readTime(
  value: unknown,
  field: string,
  unit: string,
  place: { readonly file: string; readonly line?: number },
): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  const at = { ...place, field };
  if (typeof value === 'number' && value > 0) {
    const message = `'${field}' is ${value}, which is more than can be told exactly`;
    throw invalidTrace(message, at, `check the unit: it is in ${unit}`);
  }
  const message =
    value === undefined ? `the line has no '${field}'` : `'${field}' is ${shown(value)}, not a number from 0`;
  throw invalidTrace(message, at, `write the time in ${unit}, as a number`);
}
