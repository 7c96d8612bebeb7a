import { PRIORITIES, type Priority } from '../core/run-terms.ts';

/** What a level is worth: an order that came this much earlier goes before one of the next higher level. */
export const LEVEL_MS = 12 * 3600_000;

/**
 * Where an order stands in the queue; the smallest is next, and of two equal ones the older. Within one level that is the order in which they came, and
 * a higher level passes what came up to `LEVEL_MS` a level earlier. As time alone raises what waits, nothing waits for ever: an order can be passed
 * only by what comes within the head start of the levels above it.
 * @param createdMs by its id, which the clock cannot set back
 */
export function queueRankMs(priority: Priority, createdMs: number): number {
  return createdMs + PRIORITIES.indexOf(priority) * LEVEL_MS;
}

export function higherOf(one: Priority, other: Priority): Priority {
  return PRIORITIES.indexOf(one) < PRIORITIES.indexOf(other) ? one : other;
}
