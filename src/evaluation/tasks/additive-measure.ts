import type { Figures, Measure, Weights } from '../task.ts';

/**
 * Figures that are functions of sums over the items. What an item adds is asked once; each weighing is then one pass over
 * the terms that are not zero, without an allocation, as a bootstrap weighs thousands of times.
 * @param size how many items there are, and how many sums
 * @param addTerms tells what one item adds to which sums; several terms for one sum add up
 * @param figures from the weighted sums, which are only valid during the call, the sum of the weights, and these
 */
export function additiveMeasure(
  size: { readonly items: number; readonly sums: number },
  addTerms: (item: number, add: (sum: number, value: number) => void) => void,
  figures: (sums: Float64Array, totalWeight: number, weights: Weights) => Figures,
): Measure {
  const { items } = size;
  const terms = collectTerms(items, addTerms);
  const sums = new Float64Array(size.sums);
  return (weights) => {
    if (weights === undefined) return figures(sumAll(terms, sums), items, weights);
    requireWeightForEach(items, weights);
    return figures(sums, sumWeighted(terms, weights, sums), weights);
  };
}

/** Weights that do not belong to the answers are a mistake of the caller. */
export function requireWeightForEach(items: number, weights: ArrayLike<number>): void {
  if (weights.length !== items) throw new RangeError(`${weights.length} weights for ${items} answers`);
}

/** The terms of all items one after the other; those of item i end at `ends[i]`. */
interface Terms {
  readonly ends: Uint32Array;
  readonly sums: Uint32Array;
  readonly values: Float64Array;
}

function collectTerms(
  items: number,
  addTerms: (item: number, add: (sum: number, value: number) => void) => void,
): Terms {
  const ends = new Uint32Array(items);
  const sums: number[] = [];
  const values: number[] = [];
  const add = (sum: number, value: number): void => {
    if (value === 0) return;
    sums.push(sum);
    values.push(value);
  };
  for (let item = 0; item < items; item += 1) {
    addTerms(item, add);
    ends[item] = sums.length;
  }
  return { ends, sums: Uint32Array.from(sums), values: Float64Array.from(values) };
}

function sumAll(terms: Terms, into: Float64Array): Float64Array {
  const { sums, values } = terms;
  into.fill(0);
  for (let term = 0; term < sums.length; term += 1) {
    const sum = sums[term] as number;
    into[sum] = (into[sum] as number) + (values[term] as number);
  }
  return into;
}

/** Returns the sum of the weights. */
function sumWeighted(terms: Terms, weights: ArrayLike<number>, into: Float64Array): number {
  const { ends, sums, values } = terms;
  into.fill(0);
  let totalWeight = 0;
  let term = 0;
  for (let item = 0; item < ends.length; item += 1) {
    const weight = weights[item] as number;
    const end = ends[item] as number;
    // A resample leaves out more than a third of the items.
    if (weight === 0) {
      term = end;
      continue;
    }
    totalWeight += weight;
    for (; term < end; term += 1) {
      const sum = sums[term] as number;
      into[sum] = (into[sum] as number) + weight * (values[term] as number);
    }
  }
  return totalWeight;
}
