/** Of the normal distribution: what is beyond it happens by chance in 1 of 20 cases. */
const Z = 1.645;

/**
 * Whether noise really became less, and not only on these samples: the mean of the differences lies above 0 by more than
 * samples like these vary it, in 19 of 20 cases. One sample tells nothing of that, and is taken at its word.
 * Source: the paired t-test, one-sided, with the quantile of Student's distribution by the expansion of Cornish and Fisher (1937).
 * @param before noise of each sample
 * @param after of the same samples
 */
export function isSureGain(before: readonly number[], after: readonly number[]): boolean {
  const differences = before.map((noise, sample) => noise - (after[sample] ?? Number.NaN));
  const count = differences.length;
  const mean = differences.reduce((sum, value) => sum + value, 0) / count;
  if (!(mean > 0) || count === 1) return mean > 0;
  const spread = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return mean > quantile(count - 1) * Math.sqrt(spread / count);
}

function quantile(freedom: number): number {
  return Z + (Z ** 3 + Z) / 4 / freedom + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96 / freedom ** 2;
}
