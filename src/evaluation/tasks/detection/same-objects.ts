import type { Detections } from './detections.ts';
import { overlap } from './overlap.ts';

/** How many score at least `threshold`; they come first. */
export function countAbove({ scores }: Detections, threshold: number): number {
  let count = 0;
  while (count < scores.length && (scores[count] as number) >= threshold) count += 1;
  return count;
}

/** From the highest score down each object of the reference takes the one of its class that it overlaps most. */
const LEAST_OVERLAP = 0.5;

/**
 * Whether two models find the same objects above the threshold, in about the same places: none is left over on either
 * side.
 */
export function areSameObjects(reference: Detections, candidate: Detections, threshold: number): boolean {
  const count = countAbove(reference, threshold);
  if (count !== countAbove(candidate, threshold)) return false;
  const taken = new Uint8Array(count);
  for (let r = 0; r < count; r += 1) {
    const box = boxAt(reference, r);
    let best = -1;
    let bestOverlap = LEAST_OVERLAP;
    for (let c = 0; c < count; c += 1) {
      if (taken[c] === 1 || candidate.labels[c] !== reference.labels[r]) continue;
      const value = overlap(candidate.boxes, c, box, false);
      if (value < bestOverlap || (value === bestOverlap && best !== -1)) continue;
      best = c;
      bestOverlap = value;
    }
    if (best === -1) return false;
    taken[best] = 1;
  }
  return true;
}

export function boxAt({ boxes }: Detections, detection: number) {
  const at = 4 * detection;
  return {
    x: boxes[at] as number,
    y: boxes[at + 1] as number,
    width: boxes[at + 2] as number,
    height: boxes[at + 3] as number,
  };
}
