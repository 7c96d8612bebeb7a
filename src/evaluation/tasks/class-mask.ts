/** The class of every pixel of a picture, in rows, as runs of equal classes: a picture has few of them. */
export interface ClassMask {
  readonly width: number;
  readonly height: number;
  /** The position after each run; the last is width · height. */
  readonly ends: Uint32Array;
  readonly classes: Uint16Array;
}

/** The class of a pixel whose scores hold NaN: none of the model's. */
export const NO_CLASS = 0xffff;

export function encodeMask(pixels: Uint16Array, width: number, height: number): ClassMask {
  let runs = 0;
  for (let i = 0; i < pixels.length; i += 1) if (pixels[i] !== pixels[i + 1]) runs += 1;
  const ends = new Uint32Array(runs);
  const classes = new Uint16Array(runs);
  let run = 0;
  for (let i = 0; i < pixels.length; i += 1) {
    if (pixels[i] === pixels[i + 1]) continue;
    ends[run] = i + 1;
    classes[run] = pixels[i] as number;
    run += 1;
  }
  return { width, height, ends, classes };
}

/** Share of the pixels to which both masks give the same class; 0 where their sizes differ. NaN agrees with nothing. */
export function maskAgreement(a: ClassMask, b: ClassMask): number {
  const pixels = a.width * a.height;
  if (a.width !== b.width || a.height !== b.height || pixels === 0) return 0;
  let equal = 0;
  let start = 0;
  for (let i = 0, j = 0; start < pixels; ) {
    const endA = a.ends[i] as number;
    const endB = b.ends[j] as number;
    const end = Math.min(endA, endB);
    if (a.classes[i] === b.classes[j] && a.classes[i] !== NO_CLASS) equal += end - start;
    if (endA === end) i += 1;
    if (endB === end) j += 1;
    start = end;
  }
  return equal / pixels;
}

/** Pixels of each class that occurs, the most frequent first. */
export function countPixels({ ends, classes }: ClassMask): readonly (readonly [number, number])[] {
  const counts = new Map<number, number>();
  let start = 0;
  classes.forEach((label, run) => {
    const end = ends[run] as number;
    counts.set(label, (counts.get(label) ?? 0) + end - start);
    start = end;
  });
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** How the scores of a picture lie: those of one class `classStride` apart, those of one pixel `pixelStride`. */
interface ScoreLayout {
  readonly classes: number;
  readonly pixels: number;
  readonly classStride: number;
  readonly pixelStride: number;
}

/** The class of the largest score for each pixel, the first of equals; `NO_CLASS` where one is NaN. */
export function largestScores(scores: ArrayLike<number>, layout: ScoreLayout): Uint16Array {
  const { classes, pixels, classStride, pixelStride } = layout;
  const found = new Uint16Array(pixels);
  const best = new Float64Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel += 1) best[pixel] = scores[pixel * pixelStride] as number;
  for (let label = 1; label < classes; label += 1) {
    let at = label * classStride;
    for (let pixel = 0; pixel < pixels; pixel += 1, at += pixelStride) {
      const score = scores[at] as number;
      // A NaN stays once it is there, as no score is larger than it.
      if (score > (best[pixel] as number) || Number.isNaN(score)) {
        best[pixel] = score;
        found[pixel] = label;
      }
    }
  }
  for (let pixel = 0; pixel < pixels; pixel += 1) if (Number.isNaN(best[pixel])) found[pixel] = NO_CLASS;
  return found;
}
