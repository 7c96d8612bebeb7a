import type { DataSpec } from '../core/data-spec.ts';
import { evenPositions } from '../core/even-positions.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { ItemCollection } from './item-collection.ts';

export interface ChoiceOfPositions {
  readonly split: string;
  /** Whether items follow each other, as those of a recording do. */
  readonly inOrder: boolean;
  readonly limit?: number;
}

/**
 * The positions in the collection of the items of a split, at most `limit`, in the order in which they are used. Where the
 * data is split by content they are shuffled, and the first ones are a sample of all. Other data keep their order, and
 * fewer than all are spread over it, because data sets are often sorted by class. Where items follow each other
 * (`inOrder`), the first ones are taken as they do.
 */
export async function choosePositions(
  collection: ItemCollection,
  { splits }: DataSpec,
  { split, inOrder, limit = Number.POSITIVE_INFINITY }: ChoiceOfPositions,
): Promise<Result<Uint32Array, Problem>> {
  const { count } = collection;
  if (splits === undefined) {
    return ok(inOrder ? evenPositions(Math.min(count, limit), limit) : evenPositions(count, limit));
  }
  const { splitItems } = await import('./split-items.ts');
  const positions = await splitItems(collection, splits, split);
  if (!positions.ok) return positions;
  const ordered = inOrder ? positions.value.toSorted() : positions.value;
  return ok(ordered.subarray(0, Math.min(limit, ordered.length)));
}
