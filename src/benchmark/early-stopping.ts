/** MLPerf's confidence that the true percentile is not above the estimate. */
const CONFIDENCE = 0.99;

// Terms of the binomial series are divided by this when they grow past it, and its logarithm is carried apart.
const RESCALE_ABOVE = 1e200;
const RESCALE_LOG = Math.log(RESCALE_ABOVE);

/**
 * How many of `queryCount` latencies may lie over a percentile's estimate for that estimate to be an upper bound of the
 * true percentile with 99 % confidence: the largest t >= 1 with P[Binomial(n, 1 - p) <= t] <= 0.01. The estimate is then
 * the t-th largest latency. Null when `queryCount` is too small for any t (64 queries are needed for the 90th percentile,
 * 662 for the 99th).
 *
 * Source: MLPerf Inference LoadGen, "early stopping" with tolerance 0.
 *
 * @param queryCount number of measured latencies, n.
 * @param permille the percentile in thousandths: 900 for the 90th, 999 for the 99.9th.
 */
export function overLatencyAllowance(queryCount: number, permille: number): number | null {
  const most = mostOverLatency(queryCount, permille);
  return most === 0 ? null : most;
}

/**
 * How many of `queryCount` latencies may lie over a bound for the true percentile to be within it with 99 % confidence, by
 * the same inequality, but from 0 on: without a single latency over the bound 44 queries are enough for the 90th percentile
 * and 459 for the 99th. Null when not even none would do.
 */
export function mostOverLatency(queryCount: number, permille: number): number | null {
  const p = permille / 1000;
  const oddsOfOver = (1000 - permille) / permille;
  const logLimit = Math.log(1 - CONFIDENCE);
  // Every term is kept relative to exp(logScale): the first one, p^n, underflows for all but small n.
  let logScale = queryCount * Math.log(p);
  let term = 1;
  let sum = 1;
  let allowance = -1;
  while (allowance < queryCount && Math.log(sum) + logScale <= logLimit) {
    allowance += 1;
    term *= ((queryCount - allowance) / (allowance + 1)) * oddsOfOver;
    sum += term;
    if (sum > RESCALE_ABOVE) {
      term /= RESCALE_ABOVE;
      sum /= RESCALE_ABOVE;
      logScale += RESCALE_LOG;
    }
  }
  return allowance >= 0 ? allowance : null;
}

/**
 * The fewest queries of which `overLatency` may lie over a percentile's bound. With one, the fewest that give an
 * early-stopping estimate: 64 for 900, 662 for 990, 6,636 for 999.
 */
export function minimumQueries(permille: number, overLatency = 1): number {
  const isEnough = (queries: number) => (mostOverLatency(queries, permille) ?? -1) >= overLatency;
  let tooFew = 1;
  let enough = 2;
  while (!isEnough(enough)) {
    tooFew = enough;
    enough *= 2;
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
