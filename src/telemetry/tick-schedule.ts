/**
 * Ticks at a fixed rate: tick k is due at `originNs + k × periodNs`, whatever happened to the ones before, so lateness
 * does not add up. A tick that is a whole period late or more is not made up for; it is counted as missed.
 */
export interface TickSchedule {
  readonly originNs: bigint;
  /** Like all that is relative to the origin a number, with which a tick calculates faster; exact for a hundred days. */
  readonly periodNs: number;
  readonly nextIndex: number;
  readonly missedTicks: number;
}

/** A schedule whose first tick is due now. `missedTicks` carries the count over a change of rate. */
export function startSchedule(nowNs: bigint, intervalMs: number, missedTicks = 0): TickSchedule {
  return { originNs: nowNs, periodNs: Math.round(intervalMs * 1e6), nextIndex: 0, missedTicks };
}

/** Milliseconds until the next tick is due, in whole microseconds, rounded up; 0 when it is due. */
export function delayMs({ originNs, nextIndex, periodNs }: TickSchedule, nowNs: bigint): number {
  const remainingNs = nextIndex * periodNs - Number(nowNs - originNs);
  return remainingNs <= 0 ? 0 : Math.ceil(remainingNs / 1e3) / 1e3;
}

/** The schedule after a tick taken at `nowNs`, at or after the time it was due. */
export function advance(schedule: TickSchedule, nowNs: bigint): TickSchedule {
  const { originNs, periodNs, nextIndex, missedTicks } = schedule;
  const index = Math.floor(Number(nowNs - originNs) / periodNs);
  return { originNs, periodNs, nextIndex: index + 1, missedTicks: missedTicks + index - nextIndex };
}

/** The schedule without the ticks before `untilNs`, which nobody needs: they are not missed. */
export function restUntil(schedule: TickSchedule, untilNs: bigint): TickSchedule {
  const index = Math.ceil(Number(untilNs - schedule.originNs) / schedule.periodNs);
  return index <= schedule.nextIndex ? schedule : { ...schedule, nextIndex: index };
}
