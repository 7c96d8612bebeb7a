import { ArrivalColumns } from './arrival-columns.ts';
import type { ArrivalTrace } from './arrival-trace.ts';
import { parseTraceObject, readTime } from './json-lines.ts';
import { scanTraceLines } from './trace-file.ts';
import { invalidTrace } from './trace-problem.ts';

const NS_PER_MS = 1e6;
const MAX_LISTED = 8;

/**
 * JSON lines with a `timestamp` in milliseconds: the traces of Mooncake, and AIPerf's fixed schedules, which have the same
 * form with more fields. Only arrivals are replayed; the other fields are named in a note. A `delay`, which counts from
 * the answer before, is refused, as no time of arrival follows from it. Lines may be out of order. Sources: the traces
 * in Mooncake's FAST25-release/traces; AIPerf, docs/tutorials/fixed-schedule.md and docs/benchmark-modes/trace-replay.md.
 * Throws a `ProblemError`, see `readArrivalTrace`.
 */
export async function readTimestampLines(file: string, format: 'mooncake' | 'aiperf'): Promise<ArrivalTrace> {
  const arrivals = new ArrivalColumns();
  const others = new Set<string>();
  await scanTraceLines(file, (line) => {
    const object = parseTraceObject(line, file);
    const place = { file, line: line.line };
    if (object['delay'] !== undefined && object['delay'] !== null) {
      throw invalidTrace(
        "'delay' counts from the answer before, so that no time of arrival follows from it",
        { ...place, field: 'delay' },
        'give every line a `timestamp` instead',
      );
    }
    for (const key in object) if (key !== 'timestamp' && others.size < MAX_LISTED) others.add(key);
    arrivals.add(readTime(object['timestamp'], 'timestamp', 'milliseconds', place));
  });
  const names = [...others].map((key) => `'${key}'`).join(', ');
  const notes = names === '' ? [] : [`only arrivals are replayed, not ${names}`];
  return arrivals.finish({ file, format, nsPerUnit: NS_PER_MS, notes });
}
