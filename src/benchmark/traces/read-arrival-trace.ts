import type { TraceFormat } from '../../core/bench-terms.ts';
import { attemptAsync, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { ArrivalTrace } from './arrival-trace.ts';
import { readAzureTrace } from './azure-trace.ts';
import { readFixedSchedule } from './fixed-schedule.ts';
import { guessTraceFormat } from './guess-trace-format.ts';
import { readOwnTrace } from './own-trace.ts';
import { readRequestIntervals } from './request-intervals.ts';
import { readTimestampLines } from './timestamp-lines.ts';
import { readTraceHead } from './trace-file.ts';

export interface ReadTraceOptions {
  /** Told by the first line and the name of the file where it is absent. */
  readonly format?: TraceFormat;
}

/**
 * Reads when queries arrived. The file is read line by line and checked whole; what is held is 8 bytes an arrival, 12
 * with samples, and up to three times that for a moment. docs/traces.md says what each format is.
 * Errors: `trace-unreadable`; `trace-empty`; `trace-format-unknown`; `trace-invalid`, with line and field, for what
 * cannot be replayed as it stands there.
 */
export function readArrivalTrace(
  file: string,
  options: ReadTraceOptions = {},
): Promise<Result<ArrivalTrace, Problem>> {
  return attemptAsync(async () => {
    const head = await readTraceHead(file);
    const format = options.format ?? guessTraceFormat(file, head);
    switch (format) {
      case 'ptq-agent':
        return readOwnTrace(file);
      case 'request-intervals':
        return readRequestIntervals(file);
      case 'fixed-schedule':
        return readFixedSchedule(file);
      case 'mooncake':
      case 'aiperf':
        return readTimestampLines(file, format);
      case 'azure-llm':
        return readAzureTrace(file);
    }
  });
}
