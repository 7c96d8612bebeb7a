import type { ValueRange } from './affine.ts';
import type { Placement } from './placement.ts';

/**
 * The range of every edge. Where a node that passes values through is left float32 later, what follows it is an edge of its
 * own and keeps the parameters that it had.
 */
export function rangesOfEdges(
  { edges }: Placement,
  ranges: ReadonlyMap<string, ValueRange>,
): ReadonlyMap<string, ValueRange> {
  const all = new Map(ranges);
  for (const [edge, source] of edges) {
    const range = ranges.get(source);
    if (range !== undefined) all.set(edge, range);
  }
  return all;
}
