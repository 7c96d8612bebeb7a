import type { ValueRange } from '../affine.ts';
import type { HistogramCounts } from './histogram.ts';

/** Grid levels on one side of zero for a distribution on both sides, and for one that is never negative. */
const LEVELS = { signed: 128, unsigned: 256 } as const;
/** How many thresholds are tried between the narrowest and the whole range. */
const CANDIDATES = 256;
const SMOOTHING = 1e-4;

/**
 * The symmetric threshold at which the quantized distribution tells most about the original one: the distribution cut
 * at the threshold, with what lies beyond added to its last bins, is compared by Kullback–Leibler divergence with the
 * same values spread over the grid's levels.
 * Source: Migacz, «8-bit Inference with TensorRT» (GTC 2017). With many more bins than levels the search can clip;
 * with as many bins as levels, as onnxruntime.quantization has them, it cannot.
 */
export function entropyRange(histogram: HistogramCounts): ValueRange {
  const { counts, binWidth, range } = histogram;
  const bins = counts.length / 2;
  const magnitudes = foldSides(counts, bins);
  const levels = range.min < 0 ? LEVELS.signed : LEVELS.unsigned;
  const used = Math.min(bins, Math.ceil(Math.max(range.max, -range.min) / binWidth));
  // Where all values are 0, there is no bin width, and `used` is not a number.
  if (!(used > levels)) return range;
  const sums = runningSums(magnitudes, used);
  const step = Math.max(1, Math.floor((used - levels) / CANDIDATES));
  let threshold = used;
  let lowest = Number.POSITIVE_INFINITY;
  for (let candidate = used; candidate >= levels; candidate -= step) {
    const divergence = divergenceAt(sums, candidate, used, levels);
    if (divergence < lowest) {
      lowest = divergence;
      threshold = candidate;
    }
  }
  const end = threshold * binWidth;
  return { min: Math.max(range.min, -end), max: Math.min(range.max, end) };
}

/**
 * Counts by magnitude: bin i holds the values of i to i + 1 widths on either side of zero. The first bin takes the count
 * of the second: the exact zeros that a ReLU makes lose nothing on any grid, and as a spike they would outweigh all else.
 */
function foldSides(counts: Float64Array, bins: number): Float64Array {
  const folded = new Float64Array(bins);
  for (let i = 0; i < bins; i++) folded[i] = (counts[bins + i] as number) + (counts[bins - 1 - i] as number);
  folded[0] = folded[1] as number;
  return folded;
}

/** Figures of all bins before bin i, at i; those of any run of bins are then a difference. */
interface RunningSums {
  readonly counts: Float64Array;
  /** Bins that hold something. */
  readonly filled: Float64Array;
  /** count · ln(count) */
  readonly logs: Float64Array;
}

function runningSums(magnitudes: Float64Array, used: number): RunningSums {
  const counts = new Float64Array(used + 1);
  const filled = new Float64Array(used + 1);
  const logs = new Float64Array(used + 1);
  for (let i = 0; i < used; i++) {
    const count = magnitudes[i] as number;
    counts[i + 1] = (counts[i] as number) + count;
    filled[i + 1] = (filled[i] as number) + Number(count > 0);
    logs[i + 1] = (logs[i] as number) + (count > 0 ? count * Math.log(count) : 0);
  }
  return { counts, filled, logs };
}

/**
 * The Kullback–Leibler divergence Σ p·ln(p / q) at a threshold. All filled bins of a level have the same q, so that with
 * p = count / total a level needs one logarithm; only the last bin, which also takes what lies beyond, stands alone.
 */
function divergenceAt(sums: RunningSums, threshold: number, used: number, levels: number): number {
  const { counts, filled, logs } = sums;
  const total = counts[used] as number;
  if (total === 0) return Number.POSITIVE_INFINITY;
  const inside = counts[threshold] as number;
  const lowest = SMOOTHING / threshold;
  // The sum is kept in counts and divided by their total at the end.
  let divergence = (logs[threshold] as number) - inside * Math.log(total);
  let lastShare = lowest;
  for (let level = 0, from = 0; level < levels; level++) {
    const to = Math.floor(((level + 1) * threshold) / levels);
    const sum = (counts[to] as number) - (counts[from] as number);
    const bins = (filled[to] as number) - (filled[from] as number);
    from = to;
    if (sum === 0) continue;
    lastShare = Math.max(sum / bins / inside, lowest);
    divergence -= sum * Math.log(lastShare);
  }
  const last = inside - (counts[threshold - 1] as number);
  const outliers = total - inside;
  if (outliers > 0) {
    const withOutliers = last + outliers;
    divergence += withOutliers * Math.log(withOutliers / total / (last > 0 ? lastShare : lowest));
    if (last > 0) divergence -= last * Math.log(last / total / lastShare);
  }
  return divergence / total;
}
