import { studentTQuantile } from '../confidence-interval.ts';

/** What the next value is expected to be, from values that came before it. */
export interface Prediction {
  /** Geometric mean of the values. */
  readonly level: number;
  /** Standard deviation of the logarithms (n − 1): the relative scatter from one run to the next. */
  readonly logStddev: number;
  /** What the next value exceeds in one of 1 / (1 − confidence) cases, if nothing changed. */
  readonly upper: number;
  readonly lower: number;
}

/**
 * The one-sided limits of Student's t for one more value, on the logarithms: exp(m ± s·√(1 + 1/n)·t). Null for fewer than two.
 *
 * The scatter is that between runs. Intervals of the queries within a run know nothing of it: a run-to-run scatter of 15 % beside a
 * standard error of 3 % makes tests on single runs fire in half of all cases where nothing changed.
 * Source: prediction limits as in Hahn and Meeker, "Statistical Intervals" (1991), section 4.8.
 */
export function predictNext(values: readonly number[], confidence: number): Prediction | null {
  const n = values.length;
  if (n < 2) return null;
  const logs = values.map(Math.log);
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  const logStddev = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (n - 1));
  // What is asked for has one side, and the quantile is that of |T|.
  const t = studentTQuantile(2 * confidence - 1, n - 1);
  const margin = t * logStddev * Math.sqrt(1 + 1 / n);
  return {
    level: Math.exp(mean),
    logStddev,
    upper: Math.exp(mean + margin),
    lower: Math.exp(mean - margin),
  };
}
