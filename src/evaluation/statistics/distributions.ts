import { inverseIncompleteBeta } from '../special-functions.ts';

/**
 * P[Z ≤ z] of the standard normal distribution, with an absolute error below 1e-15.
 * Source: G. Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11 (2004).
 */
export function normalProbability(z: number): number {
  if (Number.isNaN(z)) throw new RangeError('z must be a number');
  // Beyond this the nearest double is 0 or 1 to the accuracy that is promised.
  if (z < -8.5) return 0;
  if (z > 8.5) return 1;
  const square = z * z;
  let term = z;
  let sum = z;
  for (let odd = 3; ; odd += 2) {
    term *= square / odd;
    const next = sum + term;
    if (next === sum) break;
    sum = next;
  }
  return 0.5 + sum * Math.exp(-0.5 * square - 0.5 * Math.log(2 * Math.PI));
}

/** The t for which P[T ≤ t] = p of Student's distribution, 0 < p < 1, for any positive degrees of freedom. */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`p must lie between 0 and 1, not ${p}`);
  const tail = p < 0.5 ? p : 1 - p;
  if (tail === 0.5) return 0;
  const half = degreesOfFreedom / 2;
  // P[|T| ≥ t] = I_x(ν/2, ½) with x = ν/(ν + t²), and 1 − x is solved for where it is the smaller one and keeps its digits.
  const x = inverseIncompleteBeta(2 * tail, half, 0.5);
  const y = x > 0.5 ? inverseIncompleteBeta(1 - 2 * tail, 0.5, half) : 1 - x;
  const t = Math.sqrt((degreesOfFreedom * y) / (x > 0.5 ? 1 - y : x));
  return p < 0.5 ? -t : t;
}
