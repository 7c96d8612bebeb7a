import type { DataSpec } from '../core/data-spec.ts';
import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import type { ItemCollection } from './item-collection.ts';

/**
 * The positions in the collection of the items of a split, in the order in which they are used: shuffled where the data
 * is split by content, so that the first ones are a sample of all, but as they follow each other where that matters.
 */
export async function choosePositions(
  collection: ItemCollection,
  { splits }: DataSpec,
  { split, inOrder }: { readonly split: string; readonly inOrder: boolean },
): Promise<Result<Uint32Array, Problem>> {
  if (splits === undefined) return ok(Uint32Array.from({ length: collection.count }, (_, index) => index));
  const { splitItems } = await import('./split-items.ts');
  const positions = await splitItems(collection, splits, split);
  if (!positions.ok || !inOrder) return positions;
  return ok(positions.value.toSorted());
}
