/** What a pass did. Passes change the model given to them in place: who wants to keep it passes a copy. */
export interface PassResult {
  readonly modified: boolean;
  /** How many of the things that the pass is named for it treated. */
  readonly count: number;
}

export function passResult(count: number): PassResult {
  return { modified: count > 0, count };
}

/** What a pass did in two runs together. */
export function addResults(a: PassResult, b: PassResult): PassResult {
  return { modified: a.modified || b.modified, count: a.count + b.count };
}
