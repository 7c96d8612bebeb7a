import { type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';

/** The longest latency that keeps its relative accuracy, an hour. Longer ones are counted, and told by the maximum alone. */
const LONGEST_NS = 3.6e12;

const MAX_DIGITS = 5;

/**
 * Counts of latencies in buckets that are linear within each power of two, so that every latency from 1 ns to an hour keeps
 * `digits` significant digits in a memory that does not grow with their number (270 KB at 3 digits).
 * Change it through the functions of this file alone.
 *
 * Source: the layout is that of G. Tene's HdrHistogram; the code is not.
 */
export interface LatencyHistogram {
  /** Decimal digits that are kept, 1 to 5. */
  readonly digits: number;
  readonly counts: Float64Array;
  /** Exact, like the three below: latencies are whole nanoseconds, and sums of them are whole up to 2^53 (104 days). */
  count: number;
  sumNs: number;
  /** Infinity while nothing is recorded. */
  minNs: number;
  /** -Infinity while nothing is recorded. */
  maxNs: number;
}

/** The histogram as plain data for JSON: only buckets that counted something, in ascending order. */
export interface PlainHistogram {
  readonly digits: number;
  readonly count: number;
  readonly sumNs: number;
  /** Null while nothing is recorded. */
  readonly minNs: number | null;
  readonly maxNs: number | null;
  /** Pairs of a bucket's index and its count. */
  readonly buckets: readonly (readonly [index: number, count: number])[];
}

/** @param digits significant decimal digits that every latency keeps: 1 to 5. */
export function createLatencyHistogram(digits = 3): LatencyHistogram {
  if (!isDigits(digits)) throw new RangeError(`digits must be a whole number from 1 to 5, not ${digits}`);
  return {
    digits,
    counts: new Float64Array(bucketIndex(LONGEST_NS, halfSize(digits)) + 1),
    count: 0,
    sumNs: 0,
    minNs: Number.POSITIVE_INFINITY,
    maxNs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Counts one latency, in constant time and without allocating.
 * @param latencyNs rounded to whole nanoseconds. Below 0 or not finite is a bug of the caller and throws.
 */
export function recordLatency(histogram: LatencyHistogram, latencyNs: number): void {
  if (!(latencyNs >= 0 && latencyNs < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`a latency is 0 ns or more, not ${latencyNs}`);
  }
  const wholeNs = Math.round(latencyNs);
  const { counts } = histogram;
  const index = bucketIndex(Math.min(wholeNs, LONGEST_NS), halfSize(histogram.digits));
  counts[index] = (counts[index] as number) + 1;
  histogram.count += 1;
  histogram.sumNs += wholeNs;
  if (wholeNs < histogram.minNs) histogram.minNs = wholeNs;
  if (wholeNs > histogram.maxNs) histogram.maxNs = wholeNs;
}

/** A new histogram, as if it had recorded everything that the given ones of equal digits have. */
export function mergeHistograms(histograms: readonly LatencyHistogram[], digits = 3): LatencyHistogram {
  const merged = createLatencyHistogram(histograms[0]?.digits ?? digits);
  for (const histogram of histograms) {
    if (histogram.digits !== merged.digits) {
      throw new RangeError(`histograms of ${merged.digits} and of ${histogram.digits} digits have no sum`);
    }
    for (let i = 0; i < merged.counts.length; i++) {
      merged.counts[i] = (merged.counts[i] as number) + (histogram.counts[i] as number);
    }
    merged.count += histogram.count;
    merged.sumNs += histogram.sumNs;
    merged.minNs = Math.min(merged.minNs, histogram.minNs);
    merged.maxNs = Math.max(merged.maxNs, histogram.maxNs);
  }
  return merged;
}

/**
 * The latency of rank floor(n · p), as MLPerf counts, with a relative error of at most half a unit of the last digit (0.05 %
 * at 3 digits) plus the rounding to whole nanoseconds. Never below the least latency or above the greatest. Null while
 * nothing is recorded.
 * @param permille the percentile in thousandths: 990 for the 99th, 1000 for the greatest latency.
 */
export function histogramPercentile(histogram: LatencyHistogram, permille: number): number | null {
  const { counts, count, minNs, maxNs, digits } = histogram;
  if (count === 0) return null;
  const rank = Math.min(count - 1, Math.floor((count * permille) / 1000));
  if (rank === count - 1) return maxNs;
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    seen += counts[i] as number;
    // In the last bucket lies also what is longer than an hour.
    if (seen > rank && i === counts.length - 1) return maxNs;
    if (seen > rank) return Math.max(minNs, Math.min(maxNs, bucketMiddle(i, halfSize(digits))));
  }
  return maxNs;
}

/** Arithmetic mean, exact up to the rounding of the quotient; null while nothing is recorded. */
export function histogramMean({ count, sumNs }: LatencyHistogram): number | null {
  return count === 0 ? null : sumNs / count;
}

export function histogramToPlain(histogram: LatencyHistogram): PlainHistogram {
  const { digits, counts, count, sumNs, minNs, maxNs } = histogram;
  const buckets: [number, number][] = [];
  for (const [index, inBucket] of counts.entries()) {
    if (inBucket > 0) buckets.push([index, inBucket]);
  }
  return {
    digits,
    count,
    sumNs,
    minNs: count === 0 ? null : minNs,
    maxNs: count === 0 ? null : maxNs,
    buckets,
  };
}

/** The histogram of plain data that `histogramToPlain` gave. What does not fit together is a problem that names the field. */
export function histogramFromPlain(
  plain: PlainHistogram,
): Result<LatencyHistogram, Problem<'invalid-histogram'>> {
  if (!isDigits(plain.digits)) return invalid('digits', 'a whole number from 1 to 5', plain.digits);
  const histogram = createLatencyHistogram(plain.digits);
  let previous = -1;
  for (const [position, [index, count]] of plain.buckets.entries()) {
    const field = `buckets/${position}`;
    if (!(Number.isInteger(index) && index > previous && index < histogram.counts.length)) {
      return invalid(field, `an index above ${previous} and below ${histogram.counts.length}`, index);
    }
    if (!(Number.isSafeInteger(count) && count > 0)) return invalid(field, 'a count of at least 1', count);
    histogram.counts[index] = count;
    histogram.count += count;
    previous = index;
  }
  if (histogram.count !== plain.count)
    return invalid('count', `${histogram.count}, the sum of the buckets`, plain.count);
  if (plain.count === 0) return ok(histogram);
  const { minNs, maxNs, sumNs } = plain;
  const half = halfSize(plain.digits);
  const fits = (ns: number | null, index: number | undefined): ns is number =>
    ns !== null && ns >= 0 && bucketIndex(Math.min(ns, LONGEST_NS), half) === index;
  if (!fits(minNs, plain.buckets[0]?.[0])) return invalid('minNs', 'a latency of the first bucket', minNs);
  if (!fits(maxNs, plain.buckets.at(-1)?.[0])) return invalid('maxNs', 'a latency of the last bucket', maxNs);
  if (!(sumNs >= minNs * plain.count && sumNs <= maxNs * plain.count)) {
    return invalid('sumNs', 'a sum between count times minNs and count times maxNs', sumNs);
  }
  return ok(Object.assign(histogram, { minNs, maxNs, sumNs }));
}

/**
 * How many latencies lie up to each bound and above the one before it, and at last how many above all of them. A bucket that holds a bound
 * counts by its middle, so the counts are as exact as the latencies are.
 * @param boundsNs ascending
 */
export function countsByBound({ digits, buckets }: PlainHistogram, boundsNs: readonly number[]): number[] {
  const counts = new Array<number>(boundsNs.length + 1).fill(0);
  for (const [index, count] of buckets) {
    const middle = bucketMiddle(index, halfSize(digits));
    const bound = boundsNs.findIndex((upTo) => middle <= upTo);
    const place = bound < 0 ? boundsNs.length : bound;
    counts[place] = (counts[place] as number) + count;
  }
  return counts;
}

/** Latencies that were counted together. */
export interface LatencyBucket {
  /** Both are in it. */
  readonly fromNs: number;
  readonly toNs: number;
  readonly count: number;
}

/** The buckets that counted something, in ascending order. In the last one of all lies also what is longer than an hour. */
export function bucketsOf({ digits, buckets }: PlainHistogram): readonly LatencyBucket[] {
  return buckets.map(([index, count]) => {
    const { lowest, width } = bucketRange(index, halfSize(digits));
    return { fromNs: lowest, toNs: lowest + width - 1, count };
  });
}

function isDigits(digits: number): boolean {
  return Number.isInteger(digits) && digits >= 1 && digits <= MAX_DIGITS;
}

/** Buckets per power of two: the power of two from 10^digits on, so that a bucket is at most a unit of the last digit wide. */
function halfSize(digits: number): number {
  return HALF_SIZES[digits] as number;
}

const HALF_SIZES: readonly number[] = Array.from(
  { length: MAX_DIGITS + 1 },
  (_, digits) => 2 ** Math.ceil(Math.log2(10 ** digits)),
);

/** Up to twice `half` every nanosecond has its bucket; beyond, every power of two has `half` of them. */
function bucketIndex(wholeNs: number, half: number): number {
  if (wholeNs < 2 * half) return wholeNs;
  // Numbers beyond 32 bits have no bit operations, so the exponent comes from the halves.
  const high = Math.floor(wholeNs / 2 ** 32);
  const exponent = high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(wholeNs);
  const shift = exponent - (31 - Math.clz32(half));
  return shift * half + Math.floor(wholeNs / 2 ** shift);
}

function bucketMiddle(index: number, half: number): number {
  const { lowest, width } = bucketRange(index, half);
  return lowest + (width - 1) / 2;
}

function bucketRange(index: number, half: number): { readonly lowest: number; readonly width: number } {
  if (index < 2 * half) return { lowest: index, width: 1 };
  const shift = Math.floor(index / half) - 1;
  const width = 2 ** shift;
  return { lowest: (index - shift * half) * width, width };
}

function invalid(field: string, expected: string, found: unknown) {
  return err(
    problem('invalid-histogram', `Expected ${field} of a histogram to be ${expected} but found ${found}`, {
      place: { field },
      hint: 'Measure again: the record of this histogram is damaged or was changed by hand',
    }),
  );
}
