import type { ImageGeometry } from '../../../core/item.ts';
import type { Candidates } from './candidates.ts';

/** What was found in one picture, from the highest score to the lowest. */
export interface Detections {
  /** x, y, width, height of each, in pixels of the original picture. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly labels: Int32Array;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * How boxes come from fed pixels to those in which they are compared: original = (fed − offset) / scale, within
 * `bounds`.
 */
export interface BoxMapping {
  readonly scale: readonly [number, number];
  readonly offset: readonly [number, number];
  readonly bounds: Size | undefined;
}

/** Without a geometry boxes stay in fed pixels. */
export function mappingFrom(geometry: ImageGeometry | undefined, fed: Size | undefined): BoxMapping {
  if (geometry === undefined) return { scale: [1, 1], offset: [0, 0], bounds: fed };
  return { scale: geometry.scale, offset: geometry.offset, bounds: geometry };
}

/** The kept candidates, mapped and clipped. Those of which nothing is left within the bounds are dropped. */
export function toDetections(found: Candidates, kept: Uint32Array, mapping: BoxMapping): Detections {
  const {
    scale: [scaleX, scaleY],
    offset: [offsetX, offsetY],
    bounds,
  } = mapping;
  const lowest = bounds === undefined ? Number.NEGATIVE_INFINITY : 0;
  const right = bounds?.width ?? Number.POSITIVE_INFINITY;
  const bottom = bounds?.height ?? Number.POSITIVE_INFINITY;
  const boxes = new Float32Array(4 * kept.length);
  const scores = new Float32Array(kept.length);
  const labels = new Int32Array(kept.length);
  let count = 0;
  for (const candidate of kept) {
    const at = 4 * (found.boxOf[candidate] as number);
    const x1 = Math.max(lowest, ((found.boxes[at] as number) - offsetX) / scaleX);
    const y1 = Math.max(lowest, ((found.boxes[at + 1] as number) - offsetY) / scaleY);
    const x2 = Math.min(right, ((found.boxes[at + 2] as number) - offsetX) / scaleX);
    const y2 = Math.min(bottom, ((found.boxes[at + 3] as number) - offsetY) / scaleY);
    if (!(x2 > x1 && y2 > y1)) continue;
    boxes[4 * count] = x1;
    boxes[4 * count + 1] = y1;
    boxes[4 * count + 2] = x2 - x1;
    boxes[4 * count + 3] = y2 - y1;
    scores[count] = found.scores[candidate] as number;
    labels[count] = found.labels[candidate] as number;
    count += 1;
  }
  // Copies, so that no answer holds on to a larger buffer.
  return {
    boxes: boxes.slice(0, 4 * count),
    scores: scores.slice(0, count),
    labels: labels.slice(0, count),
  };
}
