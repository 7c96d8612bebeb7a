import { ArrivalColumns } from './arrival-columns.ts';
import type { ArrivalTrace } from './arrival-trace.ts';
import { scanTraceLines } from './trace-file.ts';
import { invalidTrace } from './trace-problem.ts';

const NS_PER_US = 1000;

/**
 * A file for `--request-intervals` of perf_analyzer: a gap in whole microseconds a line. Each stands before its request,
 * the first one too: after 100000, 200000, 500000 requests are sent at 0.1, 0.3 and 0.8 s, and when the file is run
 * through again at 0.9 s. So the first line is the gap before a repetition, and times count from the first request.
 * Source: perf_analyzer, docs/inference_load_modes.md, "Custom Interval Mode". Throws a `ProblemError`, see
 * `readArrivalTrace`.
 */
export async function readRequestIntervals(file: string): Promise<ArrivalTrace> {
  const arrivals = new ArrivalColumns();
  let sentUs = 0;
  let firstGapUs: number | undefined;
  await scanTraceLines(file, ({ text, line }) => {
    const gapUs = readGap(text, { file, line });
    firstGapUs ??= gapUs;
    sentUs += gapUs;
    arrivals.add(sentUs);
  });
  const trace = arrivals.finish({ file, format: 'request-intervals', nsPerUnit: NS_PER_US, notes: [] });
  return { ...trace, wrapGapNs: (firstGapUs ?? 0) * NS_PER_US };
}

function readGap(text: string, place: { readonly file: string; readonly line: number }): number {
  const gapUs = /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(gapUs)) return gapUs;
  const found = text.trim().slice(0, 40);
  const message = `'${found}' is not a whole number of microseconds`;
  throw invalidTrace(message, place, 'write the gap before each request in whole microseconds, one a line');
}
