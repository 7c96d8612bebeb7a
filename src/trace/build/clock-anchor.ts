import type { PartEvents } from '../trace-input.ts';
import type { TracePart } from '../trace-part.ts';

/** The runtime cuts times down to whole microseconds. */
const ROUNDING_NS = 1000;

/**
 * How far the zero of a profile lies behind `part.baseNs`, in nanoseconds, for each of its runs. The runtime has a clock of its
 * own; but each run lies between the moments at which it was called and returned, and so gives bounds. What all runs
 * allow is taken, its middle; where the clocks drift apart so far that there is nothing, every run is moved from the
 * median no farther than its own bounds ask.
 * @param rows  of `events`, where a run of the model ends, in the order of `part.startsNs`
 */
export function anchorRuns(
  part: Pick<TracePart, 'startsNs' | 'endsNs'>,
  events: Pick<PartEvents, 'startsUs' | 'durationsUs'>,
  rows: ArrayLike<number>,
): Float64Array {
  const count = Math.min(rows.length, part.startsNs.length);
  const least = new Float64Array(count);
  const most = new Float64Array(count);
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (let run = 0; run < count; run++) {
    const row = rows[run] as number;
    const startNs = (events.startsUs[row] as number) * 1000;
    const endNs = startNs + (events.durationsUs[row] as number) * 1000;
    const from = (part.startsNs[run] as number) - startNs - ROUNDING_NS;
    // A run that took longer by the runtime's clock than by ours is put at its beginning.
    const to = Math.max(from, (part.endsNs[run] as number) - endNs + ROUNDING_NS);
    least[run] = from;
    most[run] = to;
    low = Math.max(low, from);
    high = Math.min(high, to);
  }
  if (count === 0) return new Float64Array(0);
  const offset = Math.round(low <= high ? (low + high) / 2 : medianMiddle(least, most));
  return least.map((from, run) => Math.round(Math.min(Math.max(offset, from), most[run] as number)));
}

function medianMiddle(least: Float64Array, most: Float64Array): number {
  const middles = least.map((from, run) => (from + (most[run] as number)) / 2).sort();
  return middles[Math.floor(middles.length / 2)] as number;
}
