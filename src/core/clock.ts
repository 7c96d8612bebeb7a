/** Time, passed in so that tests decide what it is. */
export interface Clock {
  /** Monotonic nanoseconds. On Linux the origin is the same for every process of one boot. */
  nowNs(): bigint;
  /** Wall clock, milliseconds since the Unix epoch. */
  wallMs(): number;
}

export const systemClock: Clock = {
  nowNs: () => process.hrtime.bigint(),
  wallMs: () => Date.now(),
};

/** Seconds between two readings of `nowNs`. */
export function secondsBetween(startNs: bigint, endNs: bigint): number {
  return Number(endNs - startNs) / 1e9;
}
