import type { ValueRange } from '../affine.ts';
import type { Draft } from './draft.ts';

/**
 * A draft that no pass works on any more, with ranges of all samples: once nothing is left to choose, the samples that judged
 * may tell of ranges, too. A range that a pass has moved stays, and so does that of a tensor that a pass has scaled.
 * @param learned what the samples to learn from gave, of which the draft was made
 * @param all what all samples give
 * @returns also how many ranges are those of all samples now
 */
export function withRangesOfAll(
  draft: Draft,
  learned: ReadonlyMap<string, ValueRange>,
  all: ReadonlyMap<string, ValueRange>,
): { readonly draft: Draft; readonly count: number } {
  // An edge that got a range of its own on the way has the very range of the tensor that it shared it with.
  const instead = new Map<ValueRange, ValueRange>();
  for (const [tensor, range] of learned) instead.set(range, all.get(tensor) ?? range);
  const ranges = new Map([...draft.ranges].map(([tensor, range]) => [tensor, instead.get(range) ?? range]));
  const used = new Set(draft.placement.edges.values());
  const count = [...used].filter((tensor) => instead.has(draft.ranges.get(tensor) as ValueRange)).length;
  return { draft: { ...draft, ranges }, count };
}
