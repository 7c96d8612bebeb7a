import type { ValueRange } from '../../affine.ts';

/**
 * Other ranges that may do better than one. An end at 0 stays there, as operators rely on it, and what lies beyond all
 * values that were seen only makes the steps larger.
 */
export type Candidates = (range: ValueRange, seen: ValueRange) => readonly ValueRange[];

const NARROWER = [0.9, 0.75, 0.55, 0.3];
const TOWARDS_EXTREME = [0.25, 0.5, 0.75, 1];
const NEARBY = [0.93, 1.07];

/** The upper end, narrower and in equal ratios towards the extreme. */
export const upperEnds: Candidates = ({ min, max }, seen) =>
  endsFrom(max, seen.max).map((end) => ({ min, max: end }));

export const lowerEnds: Candidates = ({ min, max }, seen) =>
  endsFrom(min, seen.min).map((end) => ({ min: end, max }));

/** One end after the other, by little. */
export const nearbyEnds: Candidates = ({ min, max }, seen) => [
  ...nearby(max, seen.max).map((end) => ({ min, max: end })),
  ...nearby(min, seen.min).map((end) => ({ min: end, max })),
];

function endsFrom(end: number, extreme: number): readonly number[] {
  if (end === 0) return [];
  const wider = TOWARDS_EXTREME.map((share) => end * (extreme / end) ** share);
  return [...NARROWER.map((factor) => end * factor), ...(isWithin(end, extreme) ? wider : [])];
}

function nearby(end: number, extreme: number): readonly number[] {
  if (end === 0) return [];
  return NEARBY.filter((factor) => factor < 1 || isWithin(end, extreme)).map((factor) => end * factor);
}

function isWithin(end: number, extreme: number): boolean {
  return Math.abs(end) < Math.abs(extreme);
}
