import type { Candidates } from './candidates.ts';
import { orderBest, orderByScore } from './order-by-score.ts';

/** Among so many of the best candidates are nearly always all that are kept. */
const USUALLY_ENOUGH = 4096;

export interface SuppressionSettings {
  /** Undefined suppresses nothing. */
  readonly iouThreshold: number | undefined;
  readonly classAgnostic: boolean;
  readonly maxDetections: number;
}

/**
 * Greedy non-maximum suppression: from the highest score down, equal scores in their own order, a candidate is kept
 * unless a kept one of its class overlaps it by more than the threshold (intersection over union).
 * @returns positions of the kept candidates, from the highest score to the lowest, at most `maxDetections`
 */
export function suppress(found: Candidates, settings: SuppressionSettings): Uint32Array {
  const { iouThreshold, classAgnostic, maxDetections } = settings;
  let order = orderBest(found.scores, found.count, Math.max(USUALLY_ENOUGH, maxDetections));
  if (iouThreshold === undefined) return order.slice(0, maxDetections);
  const limit = Math.min(maxDetections, found.count);
  const kept = new Uint32Array(limit);
  const keptBoxes = new Float64Array(4 * limit);
  const keptLabels = new Int32Array(limit);
  let count = 0;
  // What is kept depends only on what scores higher, so the rest need not be looked at once enough are kept.
  for (let i = 0; i < found.count && count < limit; i += 1) {
    if (i === order.length) order = orderByScore(found.scores, found.count);
    const candidate = order[i] as number;
    const at = 4 * (found.boxOf[candidate] as number);
    const label = classAgnostic ? 0 : (found.labels[candidate] as number);
    if (isCovered(found.boxes, at, label, keptBoxes, keptLabels, count, iouThreshold)) continue;
    kept[count] = candidate;
    keptLabels[count] = label;
    keptBoxes.set(found.boxes.subarray(at, at + 4), 4 * count);
    count += 1;
  }
  return kept.slice(0, count);
}

function isCovered(
  boxes: Float64Array,
  at: number,
  label: number,
  keptBoxes: Float64Array,
  keptLabels: Int32Array,
  count: number,
  iouThreshold: number,
): boolean {
  const x1 = boxes[at] as number;
  const y1 = boxes[at + 1] as number;
  const x2 = boxes[at + 2] as number;
  const y2 = boxes[at + 3] as number;
  const area = (x2 - x1) * (y2 - y1);
  for (let k = 0; k < count; k += 1) {
    if (keptLabels[k] !== label) continue;
    const left = keptBoxes[4 * k] as number;
    const top = keptBoxes[4 * k + 1] as number;
    const right = keptBoxes[4 * k + 2] as number;
    const bottom = keptBoxes[4 * k + 3] as number;
    const width = Math.min(x2, right) - Math.max(x1, left);
    if (!(width > 0)) continue;
    const height = Math.min(y2, bottom) - Math.max(y1, top);
    if (!(height > 0)) continue;
    const shared = width * height;
    if (shared / (area + (right - left) * (bottom - top) - shared) > iouThreshold) return true;
  }
  return false;
}
