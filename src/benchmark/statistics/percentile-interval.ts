import { studentTQuantile } from '../confidence-interval.ts';
import { sortedCopy } from '../latency-statistics.ts';
import { batchScale } from './batch-scale.ts';
import { binomialRanks, type RankInterval } from './binomial-ranks.ts';

export interface PercentileInterval {
  /** How it was found: `order-statistics` where latencies are independent, `batch-means` where they are not. */
  readonly method: 'order-statistics' | 'batch-means';
  /** `sorted[floor(n * p)]`, as MLPerf has it. */
  readonly estimateNs: number;
  /** A latency that occurred; null where no latency of the run bounds the percentile on this side. */
  readonly lowerNs: number | null;
  readonly upperNs: number | null;
  readonly confidence: number;
  /** Successive queries that count as one observation; 1 where latencies are independent. */
  readonly batchQueries: number;
  /**
   * How many independent latencies would tell as much about this percentile: far fewer than queries where a queue makes
   * neighbours alike.
   */
  readonly effectiveQueries: number;
  /** False when the run is too short to tell how far the dependence reaches; the interval may then be too narrow. */
  readonly reliable: boolean;
}

export interface PercentileIntervalOptions {
  readonly confidence?: number;
  /** `auto` looks at the latencies; the others are for who knows, or wants to see the difference. */
  readonly method?: 'auto' | PercentileInterval['method'];
}

/** A batch is this many times longer than `batchScale` says: means whose dependence is not detected still have a little. */
const SAFETY = 4;

/** Fewer batches than this say nothing about their own scatter. */
const FEWEST_BATCHES = 10;

/**
 * Two-sided confidence interval of a percentile of the latencies of one run; null for fewer than two latencies.
 *
 * Independent latencies: distribution-free, by the binomial distribution of ranks (`binomialRanks`).
 *
 * Latencies that depend on their predecessors, as all do that wait in a queue: the share of latencies above the estimate
 * is a mean, its variance is that of the means of batches (four times as long as `batchScale` finds necessary, at most a
 * tenth of the run), and the ranks that lie Student's quantile times its standard error away bound the percentile.
 * The degrees of freedom are not those of the number of batches but of (Σd²)²/Σd⁴ of their deviations d, because the 99th
 * percentile of a queue may rest on two or three bursts, however many batches are without. A rank beyond the sample is null:
 * the run does not tell.
 *
 * In simulations of AR(1) series and of M/M/1 queues up to a utilization of 0.9 this covers as it says, where a moving-block
 * bootstrap of the same blocks is too narrow in the tail, even at expanded levels. It needs no seed, and takes the time of
 * one sort: about a third of a second for a million latencies.
 *
 * Sources: R. S. Woodruff, "Confidence intervals for medians and other position measures", JASA 47 (1952), for the step from a
 * share to a percentile; A. M. Law, "Simulation Modeling and Analysis", fifth edition (2015), section 9.5, for batch means.
 *
 * @param latencyNs in the order of the queries.
 * @param permille the percentile in thousandths: 990 for the 99th.
 */
export function percentileInterval(
  latencyNs: Float64Array,
  permille: number,
  { confidence = 0.95, method = 'auto' }: PercentileIntervalOptions = {},
): PercentileInterval | null {
  const n = latencyNs.length;
  if (n < 2) return null;
  const sorted = sortedCopy(latencyNs);
  const estimateNs = sorted[Math.floor((n * permille) / 1000)] as number;
  const scale = method === 'order-statistics' ? INDEPENDENT : dependence(latencyNs, estimateNs);
  const chosen = method !== 'auto' ? method : scale.length === 1 ? 'order-statistics' : 'batch-means';
  const found =
    chosen === 'order-statistics'
      ? {
          ranks: binomialRanks(n, permille, confidence),
          batchQueries: 1,
          effectiveQueries: n,
          reliable: true,
        }
      : batchMeanRanks(latencyNs, estimateNs, permille / 1000, confidence, scale);
  const { ranks, ...more } = found;
  return {
    method: chosen,
    estimateNs,
    lowerNs: ranks.lower === null ? null : (sorted[ranks.lower] as number),
    upperNs: ranks.upper === null ? null : (sorted[ranks.upper] as number),
    confidence,
    ...more,
  };
}

const INDEPENDENT = { length: 1, reached: true };

/** The longer scale of the latencies and of which of them are above the estimate: a single huge latency hides the former. */
function dependence(latencyNs: Float64Array, estimateNs: number) {
  const ofLatencies = batchScale(latencyNs);
  const ofTail = batchScale(latencyNs.map((latency) => (latency > estimateNs ? 1 : 0)));
  return {
    length: Math.max(ofLatencies.length, ofTail.length),
    reached: ofLatencies.reached && ofTail.reached,
  };
}

function batchMeanRanks(
  latencyNs: Float64Array,
  estimateNs: number,
  p: number,
  confidence: number,
  scale: { readonly length: number; readonly reached: boolean },
) {
  const n = latencyNs.length;
  const batchQueries = Math.min(scale.length * SAFETY, Math.max(1, Math.floor(n / FEWEST_BATCHES)));
  // Of latencies that equal the estimate, as many have on a coarse clock, it is not known on which side they belong.
  const above = scatterOf(batchCounts(latencyNs, batchQueries, (latency) => latency > estimateNs));
  const notBelow = scatterOf(batchCounts(latencyNs, batchQueries, (latency) => latency >= estimateNs));
  const { variance, units } = above.variance > notBelow.variance ? above : notBelow;
  const independent = n * p * (1 - p);
  // Neighbours that are alike can only add to the scatter: a variance below that of independent latencies is chance.
  const stddev = Math.sqrt(Math.max((variance * n) / batchQueries, independent));
  const margin = studentTQuantile(confidence, Math.max(1, Math.floor(units) - 1)) * stddev;
  const lower = Math.floor(n * p - margin);
  const upper = Math.ceil(n * p + margin);
  const ranks: RankInterval = { lower: lower < 0 ? null : lower, upper: upper >= n ? null : upper };
  return {
    ranks,
    batchQueries,
    effectiveQueries: n * Math.min(1, independent / stddev ** 2),
    reliable: scale.reached,
  };
}

/** How many latencies of each whole batch are counted. */
function batchCounts(
  latencyNs: Float64Array,
  batchQueries: number,
  isCounted: (latency: number) => boolean,
): Float64Array {
  const counts = new Float64Array(Math.floor(latencyNs.length / batchQueries));
  for (let batch = 0; batch < counts.length; batch++) {
    let count = 0;
    for (let i = batch * batchQueries; i < (batch + 1) * batchQueries; i++) {
      if (isCounted(latencyNs[i] as number)) count += 1;
    }
    counts[batch] = count;
  }
  return counts;
}

/** Variance (n - 1) of the counts, and how many batches it rests on. */
function scatterOf(counts: Float64Array): { variance: number; units: number } {
  let mean = 0;
  for (const count of counts) mean += count / counts.length;
  let squares = 0;
  let fourths = 0;
  for (const count of counts) {
    squares += (count - mean) ** 2;
    fourths += (count - mean) ** 4;
  }
  return {
    variance: counts.length < 2 ? 0 : squares / (counts.length - 1),
    units: fourths === 0 ? counts.length : squares ** 2 / fourths,
  };
}
