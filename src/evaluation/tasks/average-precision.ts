import type { Weights } from '../task.ts';

/** Items by falling score, as far down as there are positives; what comes after does not matter. */
export interface Ranking {
  readonly items: Uint32Array;
  /** Bit 0: the item is a positive. Bit 1: the next item has a smaller score. */
  readonly flags: Uint8Array;
}

const POSITIVE = 1;
const LAST_OF_EQUALS = 2;

/**
 * Sorts items by their scores once, for many weighings.
 * @param scores without NaN, at most 2,097,152
 * @param isPositive 1 or 0 for each
 */
export function rankByScore(scores: Float32Array, isPositive: ArrayLike<number>): Ranking {
  const items = sortFalling(scores);
  const flags = new Uint8Array(items.length);
  let end = 0;
  for (let rank = 0, positives = 0; rank < items.length; rank += 1) {
    const item = items[rank] as number;
    const next = items[rank + 1];
    const isLast = next === undefined || scores[next] !== scores[item];
    const positive = isPositive[item] === 1;
    flags[rank] = (positive ? POSITIVE : 0) | (isLast ? LAST_OF_EQUALS : 0);
    if (positive) positives += 1;
    if (isLast && positives > 0) {
      end = rank + 1;
      positives = 0;
    }
  }
  return { items: items.slice(0, end), flags: flags.slice(0, end) };
}

/** As many positions as fit beside the 32 bits of a score into a float64, which is exact up to 53 bits. */
const POSITIONS = 2 ** 21;

/** Positions by falling score. Numbers are sorted many times faster than by a comparison of one's own. */
function sortFalling(scores: Float32Array): Uint32Array {
  if (scores.length > POSITIONS) throw new RangeError(`${scores.length} scores, more than ${POSITIONS}`);
  // The bits of a float32 in the order of whole numbers: those of negative ones run backwards. Adding 0 makes −0 a 0.
  const bits = new Uint32Array(Float32Array.from(scores, (score) => score + 0).buffer);
  const keys = new Float64Array(scores.length);
  for (let i = 0; i < keys.length; i += 1) {
    const value = bits[i] as number;
    const falling = value < 2 ** 31 ? 2 ** 31 - 1 - value : value;
    keys[i] = falling * POSITIONS + i;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => key % POSITIONS);
}

/**
 * Σ (recall − recall before) · precision over the scores that occur, the area below the precision-recall curve without
 * interpolation. Items of the same score count at once. 0 without positives. As scikit-learn's
 * `average_precision_score`, with the weights as `sample_weight`.
 */
export function averagePrecision({ items, flags }: Ranking, weights: Weights): number {
  let positives = 0;
  let before = 0;
  let ranked = 0;
  let sum = 0;
  for (let rank = 0; rank < items.length; rank += 1) {
    const flag = flags[rank] as number;
    const weight = weights === undefined ? 1 : (weights[items[rank] as number] as number);
    ranked += weight;
    if ((flag & POSITIVE) !== 0) positives += weight;
    if ((flag & LAST_OF_EQUALS) !== 0 && positives > before) {
      sum += ((positives - before) * positives) / ranked;
      before = positives;
    }
  }
  return positives === 0 ? 0 : sum / positives;
}
