import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type ArrivalTrace, meanRate, traceDurationNs } from './arrival-trace.ts';

type Transformed = Result<ArrivalTrace, Problem<'trace-setting-invalid'>>;

// Half a gigabyte of times; a round that long would take days at any rate that a host can serve.
const MAX_ARRIVALS = 2 ** 26;

/**
 * The arrivals from one time up to, and without, another, in seconds of the trace. Times count from the first of them.
 * Error: `trace-setting-invalid`, also where none is left.
 */
export function windowTrace(
  trace: ArrivalTrace,
  { fromSeconds = 0, toSeconds = Number.POSITIVE_INFINITY }: { fromSeconds?: number; toSeconds?: number },
): Transformed {
  if (!(fromSeconds >= 0 && toSeconds > fromSeconds)) {
    const message = `the window from ${fromSeconds} s to ${toSeconds} s is none`;
    return invalid('window', message, 'give two times in seconds of the trace, the earlier one first');
  }
  const start = firstAtOrAfter(trace.dueNs, fromSeconds * 1e9);
  const end = firstAtOrAfter(trace.dueNs, toSeconds * 1e9);
  if (start === end) {
    const message = `no query arrives from ${fromSeconds} s to ${toSeconds} s`;
    const seconds = traceDurationNs(trace) / 1e9;
    return invalid('window', message, `choose a window within the ${seconds} s of the trace`);
  }
  return ok(cut(trace, start, end, `from ${fromSeconds} s to ${toSeconds} s`));
}

/**
 * The same shape in another time: 2 is twice as fast. Times are rounded to whole nanoseconds one by one, so that errors
 * do not add up. Error: `trace-setting-invalid`.
 */
export function speedTrace(trace: ArrivalTrace, factor: number): Transformed {
  if (!(factor > 0 && factor < Number.POSITIVE_INFINITY)) {
    return invalid('speed', `${factor} is no speed`, 'give a number above 0; 2 is twice as fast');
  }
  return stretch(trace, 1 / factor, 'speed', `${factor} times as fast`);
}

/**
 * The same shape with another mean rate, in queries a second. Error: `trace-setting-invalid`, also for a trace whose
 * queries all arrive at one time, which has no rate.
 */
export function scaleToRate(trace: ArrivalTrace, queriesPerSecond: number): Transformed {
  if (!(queriesPerSecond > 0 && queriesPerSecond < Number.POSITIVE_INFINITY)) {
    return invalid('rate', `${queriesPerSecond} is no rate`, 'give the queries a second, above 0');
  }
  const rate = meanRate(trace);
  if (rate === null) return noRate('rate');
  return stretch(trace, rate / queriesPerSecond, 'rate', `scaled to ${queriesPerSecond} queries/s`);
}

/** How long to go on: so many times in all, or until so many seconds have passed. */
export type LoopLength = { readonly times: number } | { readonly durationSeconds: number };

/**
 * The trace over and over, with the same samples. Between its last arrival and its first there is the gap that the trace
 * names, and otherwise its mean gap: the mean rate then stays what it is, whereas without a gap two queries would
 * arrive at once and the rate would rise. With a duration, arrivals before it are kept, which may be fewer than
 * one time through. Error: `trace-setting-invalid`, also for a trace without a gap to go by, and for one that becomes
 * too long.
 */
export function loopTrace(trace: ArrivalTrace, length: LoopLength): Transformed {
  const durationNs = traceDurationNs(trace);
  const gapNs = trace.wrapGapNs ?? durationNs / (trace.dueNs.length - 1);
  const periodNs = durationNs + gapNs;
  if (!(periodNs > 0)) return noRate('loop');
  if ('times' in length) {
    const { times } = length;
    if (!(Number.isSafeInteger(times) && times >= 1)) {
      return invalid('loop', `${times} is no number of times`, 'give a whole number from 1');
    }
    return repeat(trace, periodNs, times * trace.dueNs.length, `${times} times over`);
  }
  const { durationSeconds } = length;
  if (!(durationSeconds > 0 && durationSeconds < Number.POSITIVE_INFINITY)) {
    return invalid('loop', `${durationSeconds} s is no duration`, 'give a number of seconds above 0');
  }
  const endNs = durationSeconds * 1e9;
  const whole = Math.floor(endNs / periodNs);
  const rest = firstAtOrAfter(trace.dueNs, endNs - whole * periodNs);
  return repeat(trace, periodNs, whole * trace.dueNs.length + rest, `over and over for ${durationSeconds} s`);
}

function repeat(trace: ArrivalTrace, periodNs: number, count: number, change: string): Transformed {
  const size = trace.dueNs.length;
  const lastRound = Math.floor((count - 1) / size);
  if (count > MAX_ARRIVALS || (lastRound + 1) * periodNs > Number.MAX_SAFE_INTEGER) {
    const message = `the trace would have ${count} arrivals over ${((count / size) * periodNs) / 1e9} s`;
    return invalid('loop', message, `repeat it less often: at most ${MAX_ARRIVALS} arrivals and 104 days`);
  }
  const dueNs = new Float64Array(count);
  // Each time is computed from the start of the whole, so that no error is carried from round to round.
  for (let i = 0; i < count; i += 1) {
    dueNs[i] = Math.round(Math.floor(i / size) * periodNs + (trace.dueNs[i % size] as number));
  }
  const { samples } = trace;
  return ok({
    ...trace,
    dueNs,
    ...(samples === undefined ? {} : { samples: repeatSamples(samples, count) }),
    changes: [...trace.changes, change],
  });
}

function repeatSamples(samples: Uint32Array, count: number): Uint32Array {
  const repeated = new Uint32Array(count);
  for (let start = 0; start < count; start += samples.length) {
    repeated.set(samples.subarray(0, Math.min(samples.length, count - start)), start);
  }
  return repeated;
}

function stretch(trace: ArrivalTrace, factor: number, field: string, change: string): Transformed {
  if (traceDurationNs(trace) * factor > Number.MAX_SAFE_INTEGER) {
    const message = `the trace would take ${(traceDurationNs(trace) * factor) / 1e9} s`;
    return invalid(field, message, 'at most 104 days can be told in whole nanoseconds');
  }
  const { wrapGapNs } = trace;
  return ok({
    ...trace,
    dueNs: trace.dueNs.map((due) => Math.round(due * factor)),
    ...(wrapGapNs === undefined ? {} : { wrapGapNs: Math.round(wrapGapNs * factor) }),
    changes: [...trace.changes, change],
  });
}

/** A part of the trace, without the gap that stood before a repetition of the whole. */
function cut(trace: ArrivalTrace, start: number, end: number, change: string): ArrivalTrace {
  const { wrapGapNs: _, samples, ...rest } = trace;
  const firstNs = trace.dueNs[start] as number;
  return {
    ...rest,
    dueNs: trace.dueNs.slice(start, end).map((due) => due - firstNs),
    ...(samples === undefined ? {} : { samples: samples.slice(start, end) }),
    changes: [...trace.changes, change],
  };
}

/** The position of the first arrival that is not before a time; that behind the last where there is none. */
function firstAtOrAfter(dueNs: Float64Array, timeNs: number): number {
  let low = 0;
  let high = dueNs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((dueNs[middle] as number) < timeNs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function noRate(field: string): Transformed {
  const message = 'all queries of the trace arrive at one time, so it has neither a gap nor a rate';
  return invalid(field, message, 'take a trace with arrivals at two times at least');
}

function invalid(field: string, message: string, hint: string): Transformed {
  return err(problem('trace-setting-invalid', message, { place: { field }, hint }));
}
