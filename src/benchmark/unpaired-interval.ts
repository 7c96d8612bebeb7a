import { type GeometricMeanInterval, studentTQuantile } from './confidence-interval.ts';

/**
 * The ratio of the geometric means of two independent groups of positive values, first over second, with Welch's two-sided
 * t interval on the logarithms; null for fewer than two in either. Degrees of freedom are rounded down, which widens the
 * interval. Source: Welch, "The generalization of 'Student's' problem when several different population variances are
 * involved", Biometrika 34, 1947.
 */
export function ratioOfMeans(
  first: readonly number[],
  second: readonly number[],
  confidence: number,
): GeometricMeanInterval | null {
  if (Math.min(first.length, second.length) < 2) return null;
  const a = ofLogs(first);
  const b = ofLogs(second);
  const squaredError = a.squaredError + b.squaredError;
  const estimate = a.mean - b.mean;
  const spread = a.squaredError ** 2 / (a.n - 1) + b.squaredError ** 2 / (b.n - 1);
  // Without any scatter there is nothing to weigh, and the interval is a point.
  const degreesOfFreedom = spread === 0 ? a.n + b.n - 2 : Math.max(1, Math.floor(squaredError ** 2 / spread));
  const margin = studentTQuantile(confidence, degreesOfFreedom) * Math.sqrt(squaredError);
  return {
    estimate: Math.exp(estimate),
    lower: Math.exp(estimate - margin),
    upper: Math.exp(estimate + margin),
    logStddev: Math.sqrt((a.variance + b.variance) / 2),
  };
}

function ofLogs(values: readonly number[]) {
  const n = values.length;
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (n - 1);
  return { n, mean, variance, squaredError: variance / n };
}
