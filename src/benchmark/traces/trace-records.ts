import type { ArrivalTrace } from './arrival-trace.ts';
import { TRACE_HEADER } from './own-trace.ts';

/** Facts about a recording that go into its header, for people. */
export type HeaderFacts = Readonly<Record<string, string | number | boolean>>;

/**
 * A trace in our own format: values to be written as JSON, one a line, of which the first is the header. Microseconds
 * have up to three digits behind the point, so that reading gives the same nanoseconds again, up to 50 days. They are
 * made one by one, so that a long trace is never held as text.
 */
export function* traceRecords(
  { dueNs, samples, wrapGapNs }: Pick<ArrivalTrace, 'dueNs' | 'samples' | 'wrapGapNs'>,
  facts: HeaderFacts = {},
): Generator<object> {
  const wrapGap = wrapGapNs === undefined ? {} : { wrap_gap_us: wrapGapNs / 1000 };
  yield { ...facts, ...TRACE_HEADER, count: dueNs.length, ...wrapGap };
  for (let i = 0; i < dueNs.length; i += 1) {
    // Dividing gives the double nearest to the decimal fraction, which JSON writes with the digits it needs.
    const t_us = (dueNs[i] as number) / 1000;
    yield samples === undefined ? { t_us } : { t_us, sample: samples[i] };
  }
}
