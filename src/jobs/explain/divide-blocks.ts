export interface BlockSettings {
  /** Nodes of the model. */
  readonly length: number;
  /** What loading the models of a block takes, in runs of a whole model for each sample. */
  readonly loading: number;
  /** Items of a block. */
  readonly most: number;
}

/**
 * Puts items that begin near each other in a model into blocks: what lies in front of a block runs once for all of it, and the rest once
 * for each item and once for none of them. Finds the division that runs least, every node taken for as much work as another.
 * @param starts of each item, the place of the node at which it begins
 * @returns positions of items, in each block by where they begin
 */
export function divideIntoBlocks(
  starts: readonly number[],
  { length, loading, most }: BlockSettings,
): readonly (readonly number[])[] {
  const order = [...starts.keys()].sort((a, b) => (starts[a] as number) - (starts[b] as number));
  // The least that the first so many items take, and where the last block of theirs begins.
  const least: { readonly cost: number; readonly first: number }[] = [{ cost: 0, first: 0 }];
  for (let end = 1; end <= order.length; end++) {
    let best = { cost: Number.POSITIVE_INFINITY, first: 0 };
    for (let first = end - 1; first >= Math.max(0, end - most); first--) {
      const before = (starts[order[first] as number] as number) / length;
      const own = loading + before + (1 + end - first) * (1 - before);
      const cost = (least[first]?.cost ?? 0) + own;
      if (cost < best.cost) best = { cost, first };
    }
    least.push(best);
  }
  const blocks: number[][] = [];
  for (let end = order.length; end > 0; ) {
    const { first } = least[end] as { readonly first: number };
    blocks.unshift(order.slice(first, end));
    end = first;
  }
  return blocks;
}
