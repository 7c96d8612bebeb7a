import type { TraceFormat } from '../../core/bench-terms.ts';
/** When queries arrived somewhere, to be replayed. Plain data; the arrays are never changed. */
export interface ArrivalTrace {
  /** Whole nanoseconds since the first arrival, ascending, so that the first is 0. Never empty. */
  readonly dueNs: Float64Array;
  /** Which sample each query takes, from 0, where the trace says so. As long as `dueNs`. */
  readonly samples?: Uint32Array;
  /**
   * From the last arrival to the first of a repetition, where the trace says so. The mean gap otherwise, with which the
   * rate stays that of the trace.
   */
  readonly wrapGapNs?: number;
  readonly source: TraceSource;
  /** What was done to the trace since it was read, in order, as phrases. */
  readonly changes: readonly string[];
}

/** Where a trace comes from, and what it was like before anything was changed. */
export interface TraceSource {
  readonly file: string;
  readonly format: TraceFormat;
  readonly count: number;
  readonly durationNs: number;
  /** Queries a second; null where all arrive at one time. */
  readonly meanRate: number | null;
  /** What whoever replays it should know, as sentences: arrivals that were put in order, fields that are not replayed. */
  readonly notes: readonly string[];
}

/** Nanoseconds from the first arrival to the last. */
export function traceDurationNs({ dueNs }: Pick<ArrivalTrace, 'dueNs'>): number {
  return dueNs.at(-1) ?? 0;
}

/** Queries a second: gaps over the time that they take. Null where all queries arrive at one time. */
export function meanRate({ dueNs }: Pick<ArrivalTrace, 'dueNs'>): number | null {
  const durationNs = traceDurationNs({ dueNs });
  return durationNs === 0 ? null : ((dueNs.length - 1) / durationNs) * 1e9;
}
