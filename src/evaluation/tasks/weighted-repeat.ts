import type { Weights } from '../task.ts';
import { requireWeightForEach } from './additive-measure.ts';

/** A new list that holds each item as often as its weight says, copies side by side; every item once without weights. */
export function repeatByWeight<T>(items: readonly T[], weights: Weights): T[] {
  if (weights === undefined) return [...items];
  requireWeightForEach(items.length, weights);
  const repeated: T[] = [];
  for (let i = 0; i < items.length; i += 1) {
    const weight = weights[i] as number;
    if (!Number.isInteger(weight) || weight < 0)
      throw new RangeError(`weight ${i} is ${weight}, not a count`);
    for (let copy = 0; copy < weight; copy += 1) repeated.push(items[i] as T);
  }
  return repeated;
}
