/**
 * Ticks at a fixed rate: tick k is due at `originNs + k × periodNs`, whatever happened to the ones before, so lateness
 * does not add up. A tick that is a whole period late or more is not made up for; it is counted as missed.
 */
export interface TickSchedule {
  readonly originNs: bigint;
  readonly periodNs: bigint;
  readonly nextIndex: bigint;
  readonly missedTicks: number;
}

/** A schedule whose first tick is due now. `missedTicks` carries the count over a change of rate. */
export function startSchedule(nowNs: bigint, intervalMs: number, missedTicks = 0): TickSchedule {
  return { originNs: nowNs, periodNs: BigInt(Math.round(intervalMs * 1e6)), nextIndex: 0n, missedTicks };
}

/** Milliseconds until the next tick is due, in whole microseconds, rounded up; 0 when it is due. */
export function delayMs(schedule: TickSchedule, nowNs: bigint): number {
  const remainingNs = schedule.originNs + schedule.nextIndex * schedule.periodNs - nowNs;
  return remainingNs <= 0n ? 0 : Math.ceil(Number(remainingNs) / 1e3) / 1e3;
}

/** The schedule after a tick taken at `nowNs`, at or after the time it was due. */
export function advance(schedule: TickSchedule, nowNs: bigint): TickSchedule {
  const index = (nowNs - schedule.originNs) / schedule.periodNs;
  return {
    ...schedule,
    nextIndex: index + 1n,
    missedTicks: schedule.missedTicks + Number(index - schedule.nextIndex),
  };
}

/** The schedule without the ticks before `untilNs`, which nobody needs: they are not missed. */
export function restUntil(schedule: TickSchedule, untilNs: bigint): TickSchedule {
  const index = (untilNs - schedule.originNs + schedule.periodNs - 1n) / schedule.periodNs;
  return index <= schedule.nextIndex ? schedule : { ...schedule, nextIndex: index };
}
