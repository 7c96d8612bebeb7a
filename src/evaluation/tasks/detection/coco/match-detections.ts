import type { TruthBox } from '../../../../core/item.ts';
import { overlap } from '../overlap.ts';
import type { CocoParameters } from './parameters.ts';

/** Bit t of a match's lower half: right at the t-th threshold. Of its upper half: neither right nor wrong. */
export const IGNORED_SHIFT = 10;

/**
 * Says for the detections of one class in one picture which are right, at each threshold and for each range of areas.
 * From the highest score down, each takes the truth that it overlaps most, the last of equals, among those that no
 * other has taken; a truth that counts goes before one that is ignored (a crowd, or outside the range of areas), and a
 * crowd may be taken again and again. A detection is neither right nor wrong if it takes an ignored truth, or none
 * while it is itself outside the range. Source: COCO API, evaluation of one image.
 * @param boxes x, y, width, height of all detections of the picture
 * @param own positions of those of this class, from the highest score to the lowest
 * @returns for each of `own` one match a range of areas
 */
export function matchDetections(
  boxes: Float32Array,
  own: readonly number[],
  truths: readonly TruthBox[],
  { iouThresholds, areas }: CocoParameters,
): Uint32Array {
  const everyThreshold = (1 << iouThresholds.length) - 1;
  const matches = new Uint32Array(own.length * areas.length);
  const overlaps = overlapsOf(boxes, own, truths);
  areas.forEach(([smallest, largest], a) => {
    const order = countingFirst(truths, smallest, largest);
    const outside = own.map((detection) => {
      const area = (boxes[4 * detection + 2] as number) * (boxes[4 * detection + 3] as number);
      return area < smallest || area > largest;
    });
    for (let t = 0; t < iouThresholds.length && truths.length > 0; t += 1) {
      matchAt(iouThresholds[t] as number, t, overlaps, truths, order, matches, a, areas.length);
    }
    for (let d = 0; d < own.length; d += 1) {
      if (outside[d] !== true) continue;
      const at = d * areas.length + a;
      const right = (matches[at] as number) & everyThreshold;
      matches[at] = right | ((everyThreshold & ~right) << IGNORED_SHIFT);
    }
  });
  return matches;
}

/** Truths in the order in which they are tried: those that count before those that are ignored. */
interface TryOrder {
  readonly positions: readonly number[];
  /** How many of them count. */
  readonly counting: number;
}

function countingFirst(truths: readonly TruthBox[], smallest: number, largest: number): TryOrder {
  const counting: number[] = [];
  const ignored: number[] = [];
  truths.forEach((truth, i) => {
    (countsAs(truth, smallest, largest) ? counting : ignored).push(i);
  });
  return { positions: [...counting, ...ignored], counting: counting.length };
}

/** Whether a truth has to be found. */
export function countsAs(truth: TruthBox, smallest: number, largest: number): boolean {
  return !truth.isCrowd && truth.area >= smallest && truth.area <= largest;
}

function matchAt(
  threshold: number,
  bit: number,
  overlaps: Float64Array,
  truths: readonly TruthBox[],
  { positions, counting }: TryOrder,
  matches: Uint32Array,
  area: number,
  areaCount: number,
): void {
  const taken = new Uint8Array(truths.length);
  const least = Math.min(threshold, 1 - 1e-10);
  for (let d = 0, row = 0; row < overlaps.length; d += 1, row += truths.length) {
    let best = -1;
    let bestOverlap = least;
    for (let i = 0; i < positions.length; i += 1) {
      // No ignored truth is looked at once one that counts has been found.
      if (i === counting && best !== -1) break;
      const truth = positions[i] as number;
      const value = overlaps[row + truth] as number;
      if (value < bestOverlap || (taken[truth] === 1 && truths[truth]?.isCrowd !== true)) continue;
      bestOverlap = value;
      best = i;
    }
    if (best === -1) continue;
    taken[positions[best] as number] = 1;
    const at = d * areaCount + area;
    matches[at] = (matches[at] as number) | (1 << (best < counting ? bit : bit + IGNORED_SHIFT));
  }
}

function overlapsOf(boxes: Float32Array, own: readonly number[], truths: readonly TruthBox[]): Float64Array {
  const overlaps = new Float64Array(own.length * truths.length);
  let at = 0;
  for (const detection of own) {
    for (const truth of truths) {
      overlaps[at] = overlap(boxes, detection, truth, truth.isCrowd);
      at += 1;
    }
  }
  return overlaps;
}
