import { extname } from 'node:path';
import { TRACE_FORMATS, type TraceFormat } from '../../core/bench-terms.ts';
import { ProblemError, problem } from '../../core/problem.ts';

/** What Mooncake's own traces hold. AIPerf's have the same form, and other fields or fewer. */
const MOONCAKE_KEYS: readonly string[] = ['timestamp', 'input_length', 'output_length', 'hash_ids'];

const BY_EXTENSION: Readonly<Record<string, TraceFormat>> = {
  '.json': 'fixed-schedule',
  '.csv': 'azure-llm',
  '.txt': 'request-intervals',
};

/**
 * Tells the format of a trace by its first line, and by the ending of the file's name where the line does not tell it.
 * @param head the beginning of the file
 * Throws a `ProblemError` of the kind `trace-format-unknown`.
 */
export function guessTraceFormat(file: string, head: string): TraceFormat {
  const first = /\S.*/.exec(head)?.[0] ?? '';
  const format = first.startsWith('{') ? formatOfObject(keysOf(first)) : formatOfText(first);
  const guessed = format ?? BY_EXTENSION[extname(file).toLowerCase()] ?? formatOfSpreadObject(head);
  if (guessed !== undefined) return guessed;
  throw new ProblemError(
    problem('trace-format-unknown', 'neither the first line of the file nor its name tells its format', {
      place: { file, line: 1 },
      hint: `name the format of the trace: ${TRACE_FORMATS.join(', ')}`,
    }),
  );
}

function formatOfText(first: string): TraceFormat | undefined {
  if (/^\d+\s*$/.test(first)) return 'request-intervals';
  return /(?:^|,)"?TIMESTAMP"?(?:,|\s*$)/.test(first) ? 'azure-llm' : undefined;
}

function formatOfObject(keys: readonly string[]): TraceFormat | undefined {
  if (keys.includes('data') || keys.includes('validation_data')) return 'fixed-schedule';
  if (keys.includes('t_us') || keys.includes('format')) return 'ptq-agent';
  if (!keys.includes('timestamp')) return undefined;
  const isMooncake = MOONCAKE_KEYS.every((key) => keys.includes(key)) && keys.length === MOONCAKE_KEYS.length;
  return isMooncake ? 'mooncake' : 'aiperf';
}

/** An object of perf_analyzer whose first line is a bracket alone. */
function formatOfSpreadObject(head: string): TraceFormat | undefined {
  return /^\s*\{\s*"(?:data|validation_data)"\s*:/.test(head) ? 'fixed-schedule' : undefined;
}

/** The keys of an object in one line; all that look like keys where the line is longer than what was read, or broken. */
function keysOf(line: string): readonly string[] {
  try {
    return Object.keys(JSON.parse(line) as object);
  } catch {
    return Array.from(line.matchAll(/"(\w+)"\s*:/g), ([, key]) => key as string);
  }
}
