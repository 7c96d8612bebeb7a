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
  if (used <= levels) return range;
  const step = Math.max(1, Math.floor((used - levels) / CANDIDATES));
  let threshold = used;
  let lowest = Number.POSITIVE_INFINITY;
  for (let candidate = used; candidate >= levels; candidate -= step) {
    const divergence = divergenceAt(magnitudes, candidate, used, levels);
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
  const folded = Float64Array.from(
    { length: bins },
    (_, i) => (counts[bins + i] as number) + (counts[bins - 1 - i] as number),
  );
  folded[0] = folded[1] as number;
  return folded;
}

function divergenceAt(magnitudes: Float64Array, threshold: number, used: number, levels: number): number {
  let outliers = 0;
  for (let i = threshold; i < used; i++) outliers += magnitudes[i] as number;
  let divergence = 0;
  let total = outliers;
  for (let i = 0; i < threshold; i++) total += magnitudes[i] as number;
  if (total === 0) return Number.POSITIVE_INFINITY;
  const inside = total - outliers;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * threshold) / levels);
    const to = Math.floor(((level + 1) * threshold) / levels);
    let sum = 0;
    let filled = 0;
    for (let i = from; i < to; i++) {
      sum += magnitudes[i] as number;
      if ((magnitudes[i] as number) > 0) filled += 1;
    }
    for (let i = from; i < to; i++) {
      const count = magnitudes[i] as number;
      const p = (count + (i === threshold - 1 ? outliers : 0)) / total;
      if (p === 0) continue;
      const q = count > 0 ? sum / filled / inside : 0;
      divergence += p * Math.log(p / Math.max(q, SMOOTHING / threshold));
    }
  }
  return divergence;
}
