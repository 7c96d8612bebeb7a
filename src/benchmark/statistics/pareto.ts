/** One figure that matters, and which way it should go. */
export interface Objective<P> {
  readonly name: string;
  readonly better: 'lower' | 'higher';
  /** The point's figure. Null (or not a number) where it could not be told. */
  readonly figure: (point: P) => number | null;
}

/** Every point is in one of the three lists, in the order given. */
export interface ParetoFront<P> {
  /** Points that no other beats: whatever improves one figure worsens another. Equal points are all here. */
  readonly front: readonly P[];
  /** Points that are beaten, each with a point of the front that is at least as good in everything and better in something. */
  readonly dominated: readonly { readonly point: P; readonly by: P }[];
  /** Points that cannot be placed, with the names of the figures that they lack. */
  readonly excluded: readonly { readonly point: P; readonly missing: readonly string[] }[];
}

/**
 * The points that are worth choosing among, such as the settings of a sweep by latency, throughput and accuracy. Takes time
 * in proportion to the number of points times the size of the front. No objective at all is a bug and throws.
 */
export function paretoFront<P>(points: readonly P[], objectives: readonly Objective<P>[]): ParetoFront<P> {
  if (objectives.length === 0) throw new RangeError('without an objective no point is better than another');
  const excluded: { point: P; missing: string[] }[] = [];
  const candidates: Candidate<P>[] = [];
  for (const point of points) {
    // Higher becomes lower with the sign, so that everything below is a minimum.
    const costs = objectives.map(({ figure, better }) => {
      const value = figure(point) ?? Number.NaN;
      return better === 'lower' ? value : -value;
    });
    const missing = objectives.filter((_, i) => Number.isNaN(costs[i])).map(({ name }) => name);
    if (missing.length > 0) excluded.push({ point, missing });
    else candidates.push({ point, costs });
  }
  let front: Candidate<P>[] = [];
  for (const candidate of candidates) {
    if (front.some((kept) => beats(kept, candidate))) continue;
    front = [...front.filter((kept) => !beats(candidate, kept)), candidate];
  }
  const isKept = new Set(front);
  const dominated = candidates
    .filter((candidate) => !isKept.has(candidate))
    .map((candidate) => ({
      point: candidate.point,
      by: (front.find((kept) => beats(kept, candidate)) as Candidate<P>).point,
    }));
  return { front: front.map(({ point }) => point), dominated, excluded };
}

interface Candidate<P> {
  readonly point: P;
  readonly costs: readonly number[];
}

function beats<P>({ costs }: Candidate<P>, other: Candidate<P>): boolean {
  let isBetter = false;
  for (const [i, cost] of costs.entries()) {
    const against = other.costs[i] as number;
    if (cost > against) return false;
    if (cost < against) isBetter = true;
  }
  return isBetter;
}
