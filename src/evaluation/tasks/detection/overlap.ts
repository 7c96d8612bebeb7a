/** A box by its left upper corner and its size. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Shared area of a detection and a truth over the area of both together; over the detection's alone for a crowd, as a
 * part of it is all that a detection can find.
 * @param boxes x, y, width, height of each detection
 */
export function overlap(boxes: Float32Array, detection: number, truth: Box, isCrowd: boolean): number {
  const at = 4 * detection;
  const x = boxes[at] as number;
  const y = boxes[at + 1] as number;
  const boxWidth = boxes[at + 2] as number;
  const boxHeight = boxes[at + 3] as number;
  const width = Math.min(x + boxWidth, truth.x + truth.width) - Math.max(x, truth.x);
  if (!(width > 0)) return 0;
  const height = Math.min(y + boxHeight, truth.y + truth.height) - Math.max(y, truth.y);
  if (!(height > 0)) return 0;
  const shared = width * height;
  const area = boxWidth * boxHeight;
  return shared / (isCrowd ? area : area + truth.width * truth.height - shared);
}
