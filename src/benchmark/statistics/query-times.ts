/**
 * What was noted of each query of one round, in nanoseconds from the round's start, in the order of the queries. All four
 * arrays have one length.
 */
export interface QueryTimes {
  /** When the query was scheduled; in a closed loop, when it was claimed. Ascending. */
  readonly dueNs: Float64Array;
  /** When a lane was free to take it. */
  readonly readyNs: Float64Array;
  /** When the model was called: at best as soon as the query is due and a lane is ready. */
  readonly startNs: Float64Array;
  /** When the model returned. */
  readonly doneNs: Float64Array;
}
