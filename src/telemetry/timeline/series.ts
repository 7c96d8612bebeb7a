import { earlier, later } from './ticks.ts';

/** One column over time, in points of equal length. `null`: nothing was sampled there. */
export interface SeriesColumn {
  readonly name: string;
  /** The figures are growth per second of a counter. */
  readonly isRate: boolean;
  readonly min: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  /** The last value of each point; of a rate, the last step's. */
  readonly last: readonly (number | null)[];
}

interface Point {
  min: number;
  max: number;
  last: number;
  sum: number;
  /** What `sum` is divided by for the mean: values, or for a rate seconds. */
  weight: number;
}

/** A counter between two samples farther apart than this is not known. Twice a segment: one that is missing leaves a gap. */
const LONGEST_STEP_NS = 90_000_000_000n;

/** The points of a time axis: point `i` begins at `startNs + i × stepNs`. */
export interface SeriesAxis {
  readonly startNs: bigint;
  readonly stepNs: bigint;
  readonly points: number;
}

/** `points` points of equal length from `fromNs` to `toNs`, which both belong to them. */
export function axisOf(fromNs: bigint, toNs: bigint, points: number): SeriesAxis {
  const lengthNs = later(toNs - fromNs, 1n);
  return axisOfSteps(fromNs, toNs, (lengthNs + BigInt(points) - 1n) / BigInt(points));
}

/** Points of this length from `fromNs` on, until they hold `toNs`. */
export function axisOfSteps(fromNs: bigint, toNs: bigint, stepNs: bigint): SeriesAxis {
  const lengthNs = later(toNs - fromNs, 1n);
  return { startNs: fromNs, stepNs, points: Number((lengthNs + stepNs - 1n) / stepNs) };
}

/** Gathers the samples of one column into points. Holds only the points that have any. */
export class SeriesGatherer {
  readonly #name: string;
  readonly #axis: SeriesAxis;
  readonly #isRate: boolean;
  readonly #points = new Map<number, Point>();
  #before: { readonly tickNs: bigint; readonly value: number } | undefined;

  constructor(name: string, axis: SeriesAxis, isRate: boolean) {
    this.#name = name;
    this.#axis = axis;
    this.#isRate = isRate;
  }

  add(tickNs: bigint, value: number): void {
    if (this.#isRate) this.#grow(tickNs, value);
    else this.#addTo(this.#pointAt(tickNs), value, value, value, value, 1);
  }

  /** Many samples at once, of which these figures are known. */
  addDigest(
    firstNs: bigint,
    lastNs: bigint,
    figures: {
      readonly first: number;
      readonly last: number;
      readonly min: number;
      readonly max: number;
      readonly mean: number;
      readonly count: number;
    },
  ): void {
    if (this.#isRate) {
      this.#grow(firstNs, figures.first);
      this.#grow(lastNs, figures.last);
      return;
    }
    const { min, max, last, mean, count } = figures;
    this.#addTo(this.#pointAt((firstNs + lastNs) / 2n), min, max, last, mean * count, count);
  }

  finish(): SeriesColumn {
    const read = (figure: (point: Point) => number) =>
      Array.from({ length: this.#axis.points }, (_, index) => {
        const point = this.#points.get(index);
        return point === undefined ? null : figure(point);
      });
    return {
      name: this.#name,
      isRate: this.#isRate,
      min: read(({ min }) => min),
      mean: read(({ sum, weight }) => sum / weight),
      max: read(({ max }) => max),
      last: read(({ last }) => last),
    };
  }

  /** Growth since the sample before, shared out among the points that lie between. */
  #grow(tickNs: bigint, value: number): void {
    const before = this.#before;
    if (before !== undefined && tickNs <= before.tickNs) return;
    this.#before = { tickNs, value };
    // A counter that fell has begun anew, at a time that nobody knows.
    if (before === undefined || value < before.value || tickNs - before.tickNs > LONGEST_STEP_NS) return;
    const rate = (value - before.value) / (Number(tickNs - before.tickNs) / 1e9);
    const { startNs, stepNs } = this.#axis;
    const last = this.#pointAt(tickNs);
    for (let index = this.#pointAt(before.tickNs); index <= last; index += 1) {
      const fromNs = later(before.tickNs, startNs + BigInt(index) * stepNs);
      const toNs = earlier(tickNs, startNs + BigInt(index + 1) * stepNs);
      const seconds = Number(toNs - fromNs) / 1e9;
      if (seconds > 0) this.#addTo(index, rate, rate, rate, rate * seconds, seconds);
    }
  }

  #pointAt(tickNs: bigint): number {
    const { startNs, stepNs, points } = this.#axis;
    // Blocks begin before the range that is read of them.
    if (tickNs < startNs) return -1;
    const index = Number((tickNs - startNs) / stepNs);
    return index === points && tickNs === startNs + stepNs * BigInt(points) ? points - 1 : index;
  }

  #addTo(index: number, min: number, max: number, last: number, sum: number, weight: number): void {
    if (index < 0 || index >= this.#axis.points) return;
    const point = this.#points.get(index);
    if (point === undefined) {
      this.#points.set(index, { min, max, last, sum, weight });
      return;
    }
    point.min = Math.min(point.min, min);
    point.max = Math.max(point.max, max);
    point.last = last;
    point.sum += sum;
    point.weight += weight;
  }
}
