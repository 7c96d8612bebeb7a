/** Numbers that are united step by step; each knows one number that stands for all that it is united with. */
export interface Unions {
  readonly fresh: () => number;
  readonly root: (of: number) => number;
  readonly unite: (a: number, b: number) => void;
}

/** Source: Galler and Fischer, «An improved equivalence algorithm» (1964). */
export function createUnions(): Unions {
  const parents: number[] = [];
  const root = (of: number): number => {
    let at = of;
    while (parents[at] !== at) {
      // Shortens the way for the next who asks.
      parents[at] = parents[parents[at] as number] as number;
      at = parents[at] as number;
    }
    return at;
  };
  return {
    fresh: () => parents.push(parents.length) - 1,
    root,
    unite: (a, b) => {
      parents[root(a)] = root(b);
    },
  };
}
