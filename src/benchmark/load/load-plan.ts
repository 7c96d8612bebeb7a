/** How the runs of a load are paced. */
export type Pacing =
  /** Every lane issues its next run as soon as its last is complete. */
  | { readonly kind: 'closed' }
  /** A query of several runs, which the lanes share; the next is issued when all of its runs are complete. */
  | { readonly kind: 'grouped'; readonly runsPerQuery: number }
  /** All runs are there from the start. */
  | { readonly kind: 'at-once' }
  /** Run r is due at `dueNs[r]`, ascending, whether the system is ready or not. */
  | { readonly kind: 'scheduled'; readonly dueNs: Float64Array };

/**
 * When a load ends: as soon as both minima are reached, or either maximum, as in MLPerf. A run under way is never cut
 * short. A schedule ends with its last run.
 */
export interface LoadLimits {
  readonly minRuns: number;
  readonly maxRuns: number;
  readonly minDurationNs: number;
  readonly maxDurationNs: number;
}

/** The load of one round, as plain data that lanes carry out. All times are nanoseconds since its start. */
export interface LoadPlan {
  readonly pacing: Pacing;
  readonly limits: LoadLimits;
  /** Run r takes sample `order[r % order.length]`. */
  readonly order: Uint32Array;
}

/** A plan whose arrays lie in shared memory, so that no lane gets a copy of its own. */
export function sharedPlan(plan: LoadPlan): LoadPlan {
  const { pacing } = plan;
  const order = new Uint32Array(new SharedArrayBuffer(plan.order.byteLength));
  order.set(plan.order);
  if (pacing.kind !== 'scheduled') return { ...plan, order };
  const dueNs = new Float64Array(new SharedArrayBuffer(pacing.dueNs.byteLength));
  dueNs.set(pacing.dueNs);
  return { ...plan, order, pacing: { kind: 'scheduled', dueNs } };
}
