/** With fewer batches than this the dependence of their means is not asked for: chance alone would show as much. */
const FEWEST_BATCHES = 32;

/** An autocorrelation further above 0 than this many standard errors is taken for real (2.3 % one-sided). */
const DETECTED_AT = 2;

export interface BatchScale {
  /** How many successive values make batches whose means do not depend on one another. 1 for independent values. */
  readonly length: number;
  /** False when even the longest batches depend on one another: the series is too short to tell how far that reaches. */
  readonly reached: boolean;
}

/**
 * How far the values of a series depend on their predecessors: the lag-1 autocorrelation of the means of batches is taken at
 * lengths 1, 2, 4 and so on, as long as there are 32 batches, and the answer is twice the last length at which it is above
 * 0 by two standard errors (1/√batches for independent ones). All lengths are looked at, because a slow drift below fast
 * noise shows only in the long ones. Takes time in proportion to the number of values.
 *
 * Source: the idea of doubling batches until their means are independent is G. S. Fishman's, "Grouping observations in
 * digital simulation", Management Science 24 (1978).
 */
export function batchScale(values: ArrayLike<number>): BatchScale {
  let means = Float64Array.from(values);
  let length = 1;
  let independentFrom = 1;
  let reached = true;
  while (means.length >= FEWEST_BATCHES) {
    const longer = pairMeans(means);
    if (lagOneAutocorrelation(means) * Math.sqrt(means.length) > DETECTED_AT) {
      independentFrom = length * 2;
      reached = longer.length >= FEWEST_BATCHES;
    }
    means = longer;
    length *= 2;
  }
  return { length: independentFrom, reached };
}

/** 0 for values that are all equal. */
function lagOneAutocorrelation(values: Float64Array): number {
  // From the first value on, so that equal values deviate by nothing at all.
  const first = values[0] as number;
  let mean = 0;
  for (const value of values) mean += (value - first) / values.length;
  let squares = 0;
  let products = 0;
  let previous = 0;
  for (const value of values) {
    const deviation = value - first - mean;
    squares += deviation * deviation;
    products += deviation * previous;
    previous = deviation;
  }
  return squares === 0 ? 0 : products / squares;
}

function pairMeans(values: Float64Array): Float64Array<ArrayBuffer> {
  const means = new Float64Array(values.length >> 1);
  for (let i = 0; i < means.length; i++) {
    means[i] = ((values[2 * i] as number) + (values[2 * i + 1] as number)) / 2;
  }
  return means;
}
