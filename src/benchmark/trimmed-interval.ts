import { type GeometricMeanInterval, studentTQuantile } from './confidence-interval.ts';

/** Share of the values that is left out at either end. */
const TRIMMED = 0.2;

/**
 * Trimmed geometric mean of positive values with Yuen's two-sided t interval on the logarithms; null for fewer than five.
 * For short measurements on a host with other work, where single values are off by whatever interrupted them: a fifth at
 * either end has no weight in the estimate and counts in the scatter only as the nearest value that is kept.
 * Source: Yuen, "The two-sample trimmed t for unequal population variances", Biometrika 61, 1974.
 */
export function trimmedMeanInterval(
  values: readonly number[],
  confidence: number,
): GeometricMeanInterval | null {
  const n = values.length;
  if (n < 5) return null;
  const logs = values.map(Math.log).sort((a, b) => a - b);
  const cut = Math.floor(TRIMMED * n);
  const kept = logs.slice(cut, n - cut);
  const estimate = mean(kept);
  const winsorized = [
    ...new Array<number>(cut).fill(kept[0] as number),
    ...kept,
    ...new Array<number>(cut).fill(kept.at(-1) as number),
  ];
  const centre = mean(winsorized);
  const logStddev = Math.sqrt(winsorized.reduce((sum, log) => sum + (log - centre) ** 2, 0) / (n - 1));
  const standardError = (logStddev * Math.sqrt(n)) / kept.length;
  const margin = studentTQuantile(confidence, kept.length - 1) * standardError;
  return {
    estimate: Math.exp(estimate),
    lower: Math.exp(estimate - margin),
    upper: Math.exp(estimate + margin),
    logStddev,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
