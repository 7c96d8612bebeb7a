/** A picture of 200 × 100 pixels in a square of 100, with a bar of 25 pixels above and below. */
export const LETTERBOX = {
  width: 200,
  height: 100,
  fedWidth: 100,
  fedHeight: 100,
  scale: [0.5, 0.5],
  offset: [0, 25],
} as const;
