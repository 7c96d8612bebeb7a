export interface GeometricMeanInterval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  /** Standard deviation of the logarithms (n - 1): the relative scatter of a single value. */
  readonly logStddev: number;
}

/**
 * Geometric mean of positive values with its two-sided Student-t interval on the logarithms; null for fewer than two.
 *
 * The values are figures of whole rounds. Resampling single queries would treat neighbours as independent and give
 * intervals far too narrow; and at the 6 to 12 rounds of a benchmark a percentile bootstrap of the rounds misses the truth
 * two to three times as often as it says, where the t interval keeps its level (see the test of `compare.ts`).
 */
export function geometricMeanInterval(
  values: readonly number[],
  confidence: number,
): GeometricMeanInterval | null {
  const n = values.length;
  if (n < 2) return null;
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  const logStddev = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (n - 1));
  const margin = (studentTQuantile(confidence, n - 1) * logStddev) / Math.sqrt(n);
  return {
    estimate: Math.exp(mean),
    lower: Math.exp(mean - margin),
    upper: Math.exp(mean + margin),
    logStddev,
  };
}

/** The t with P(|T| <= t) = `confidence` for Student's distribution with a whole number of degrees of freedom. */
export function studentTQuantile(confidence: number, degreesOfFreedom: number): number {
  let below = 0;
  let above = 1;
  while (centralProbability(above, degreesOfFreedom) < confidence) above *= 2;
  // Sixty halvings leave nothing of the interval at double precision.
  for (let step = 0; step < 60; step++) {
    const middle = (below + above) / 2;
    if (centralProbability(middle, degreesOfFreedom) < confidence) below = middle;
    else above = middle;
  }
  return above;
}

/** P(|T| <= t), by the finite series for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4). */
function centralProbability(t: number, degreesOfFreedom: number): number {
  const angle = Math.atan(t / Math.sqrt(degreesOfFreedom));
  const cosine = Math.cos(angle);
  const odd = degreesOfFreedom % 2 === 1;
  if (degreesOfFreedom === 1) return (2 * angle) / Math.PI;
  let term = odd ? cosine : 1;
  let series = term;
  for (let k = odd ? 3 : 2; k <= degreesOfFreedom - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    series += term;
  }
  const tail = Math.sin(angle) * series;
  return odd ? ((angle + tail) * 2) / Math.PI : tail;
}
