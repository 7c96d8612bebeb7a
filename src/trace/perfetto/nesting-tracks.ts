/**
 * Deals slices out to as few tracks as it can, so that on each of them a slice lies wholly inside another or beside it: what
 * crosses the edge of another goes to a track of its own.
 */
export class NestingTracks {
  /** Ends of the slices that are open, outermost first, by track. */
  readonly #openEnds: number[][] = [[]];

  get count(): number {
    return this.#openEnds.length;
  }

  /** The track for a slice. Slices come in the order of their beginnings; of equal ones the longest first. */
  place(start: number, end: number): number {
    for (let track = 0; ; track++) {
      const ends = this.#openEnds[track];
      if (ends === undefined) {
        this.#openEnds.push([end]);
        return track;
      }
      while (ends.length > 0 && (ends[ends.length - 1] as number) <= start) ends.pop();
      if (ends.length > 0 && (ends[ends.length - 1] as number) < end) continue;
      ends.push(end);
      return track;
    }
  }
}
