/** What average precision is averaged over. */
export interface CocoParameters {
  /** Least overlap (IoU) of a detection with the object that it finds; at most 10. */
  readonly iouThresholds: readonly number[];
  /** Least and largest area of the objects that count, both included, in square pixels. */
  readonly areas: readonly (readonly [number, number])[];
  /** The best of each class and picture that count. */
  readonly maxDetections: number;
}

const ANY_AREA = [0, 1e10] as const;

/** As COCO evaluates boxes. */
export const COCO_PARAMETERS: CocoParameters = {
  // 0.9 as NumPy's linspace(0.5, 0.95, 10) gives it, with which COCO compares.
  iouThresholds: [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95],
  areas: [ANY_AREA, [0, 32 ** 2], [32 ** 2, 96 ** 2], [96 ** 2, 1e10]],
  maxDetections: 100,
};

/** Objects of any size, found where at least half overlaps. */
export const HALF_OVERLAP: CocoParameters = { iouThresholds: [0.5], areas: [ANY_AREA], maxDetections: 100 };
