/** What a pass did. Passes change the model given to them in place: who wants to keep it passes a copy. */
export interface PassResult {
  readonly modified: boolean;
  /** How many of the things that the pass is named for it treated. */
  readonly count: number;
}

export function passResult(count: number): PassResult {
  return { modified: count > 0, count };
}
