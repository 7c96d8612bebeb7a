import type { Problem } from '../core/problem.ts';

/** Enough to see what kind of fault it is. */
export const LISTED_PROBLEMS = 5;

/** Why a sample could not be read, in a line. */
export function describeBadSample(index: number, { message, place }: Problem): string {
  const where = place?.file === undefined ? '' : ` (${place.file})`;
  return `sample ${index}: ${message}${where}`;
}

/** `3 samples could not be read and were left out` */
export function leftOutSamples(count: number): string {
  const [samples, were] = count === 1 ? ['sample', 'was'] : ['samples', 'were'];
  return `${count} ${samples} could not be read and ${were} left out`;
}
