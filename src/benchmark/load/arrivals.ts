import { type Random, seededRandom } from '../random.ts';

/** When queries arrive, whatever the system does. Rates are queries per second. */
export type ArrivalProcess =
  /** MLPerf's Server: independent arrivals, exponential gaps. */
  | { readonly kind: 'poisson'; readonly ratePerSecond: number }
  /** Equal gaps. */
  | { readonly kind: 'constant'; readonly ratePerSecond: number }
  /** A Poisson process whose rate goes evenly from one value to the other. */
  | { readonly kind: 'ramp'; readonly fromPerSecond: number; readonly toPerSecond: number }
  /** Recorded arrivals, nanoseconds since the first, ascending. */
  | { readonly kind: 'trace'; readonly dueNs: Float64Array; readonly samples?: Uint32Array };

/** How long a schedule becomes: as soon as both are reached. A ramp and a trace are as long as they are. */
export interface ScheduleLength {
  readonly durationNs: number;
  readonly minQueries: number;
}

/** The moments, ascending, at which queries are due: nanoseconds since the start. At least one. The same seed gives the same. */
export function scheduleArrivals(
  process: ArrivalProcess,
  { durationNs, minQueries }: ScheduleLength,
  seed: number,
): Float64Array {
  switch (process.kind) {
    case 'poisson': {
      const gapNs = exponentialGaps(1e9 / process.ratePerSecond, seededRandom(seed));
      return collect(gapNs, (count, nextNs) => count >= minQueries && nextNs > durationNs);
    }
    case 'constant': {
      const gapNs = 1e9 / process.ratePerSecond;
      const count = Math.max(1, minQueries, Math.ceil(durationNs / gapNs));
      return Float64Array.from({ length: count }, (_, query) => query * gapNs);
    }
    case 'ramp':
      return rampArrivals(process, durationNs, seededRandom(seed));
    case 'trace':
      return process.dueNs;
  }
}

function exponentialGaps(meanNs: number, random: Random): () => number {
  return () => -Math.log(1 - random()) * meanNs;
}

function collect(gapNs: () => number, isEnough: (count: number, nextNs: number) => boolean): Float64Array {
  const due: number[] = [];
  let nextNs = gapNs();
  do {
    due.push(nextNs);
    nextNs += gapNs();
  } while (!isEnough(due.length, nextNs));
  return Float64Array.from(due);
}

/**
 * Arrivals of a Poisson process at unit rate, carried back through the expected number of arrivals up to a moment t,
 * a·t + (b - a)·t² / 2T (time rescaling).
 */
function rampArrivals(
  { fromPerSecond, toPerSecond }: Extract<ArrivalProcess, { kind: 'ramp' }>,
  durationNs: number,
  random: Random,
): Float64Array {
  const from = fromPerSecond / 1e9;
  const slope = (toPerSecond - fromPerSecond) / 1e9 / durationNs;
  const momentOf = (expected: number) => {
    // The root of the quadratic that does not cancel when the slope is small or negative.
    const discriminant = from ** 2 + 2 * slope * expected;
    return discriminant < 0 ? Number.POSITIVE_INFINITY : (2 * expected) / (from + Math.sqrt(discriminant));
  };
  const gap = exponentialGaps(1, random);
  let expected = gap();
  const due = [Math.min(momentOf(expected), durationNs)];
  for (;;) {
    expected += gap();
    const moment = momentOf(expected);
    if (!(moment <= durationNs)) return Float64Array.from(due);
    due.push(moment);
  }
}
