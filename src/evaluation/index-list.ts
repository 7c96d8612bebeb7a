/** Items by index: all are counted, the first ones are listed. */
export interface IndexList {
  readonly count: number;
  /** In the order in which they came, at most `MAX_LISTED_INDICES`. */
  readonly indices: readonly number[];
}

/** Enough to look at by hand, and small in a stored result. */
export const MAX_LISTED_INDICES = 1000;

export function collectIndices(): { add(index: number): void; list(): IndexList } {
  let count = 0;
  const indices: number[] = [];
  return {
    add: (index) => {
      count += 1;
      if (indices.length < MAX_LISTED_INDICES) indices.push(index);
    },
    list: () => ({ count, indices: [...indices] }),
  };
}
