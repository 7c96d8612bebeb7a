/** Of the normal distribution: what is beyond it happens by chance in 1 of 20 cases. */
const Z = 1.645;

/** A sample that is free of noise counts as one whose noise became less by this factor: 60 dB. */
const MOST_GAIN = Math.log(1e6);

/**
 * Whether noise really became less, and not only on these samples: the mean of the decibels that each sample gained lies above 0
 * by more than samples like these vary it, in 19 of 20 cases. Decibels and not differences, as samples are unlike: one that
 * is far noisier than the others would decide alone, and hide what all others show. One sample is taken at its word.
 * Source: the paired t-test on logarithms (Bland and Altman, «The use of transformation when comparing two means», BMJ 1996), one-sided,
 * with the quantile of Student's distribution by the expansion of Cornish and Fisher (1937).
 * @param before noise of each sample
 * @param after of the same samples
 */
export function isSureGain(before: readonly number[], after: readonly number[]): boolean {
  const gains = before.map((noise, sample) => gainOf(noise, after[sample] ?? Number.NaN));
  const count = gains.length;
  const mean = gains.reduce((sum, value) => sum + value, 0) / count;
  if (!(mean > 0) || count === 1) return mean > 0;
  const spread = gains.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return mean > quantile(count - 1) * Math.sqrt(spread / count);
}

/** NaN where the noise of a sample is no number any more. */
function gainOf(before: number, after: number): number {
  if (!Number.isFinite(after)) return Number.NaN;
  if (!Number.isFinite(before)) return MOST_GAIN;
  if (before === after) return 0;
  return Math.max(-MOST_GAIN, Math.min(MOST_GAIN, Math.log(before / after)));
}

function quantile(freedom: number): number {
  return Z + (Z ** 3 + Z) / 4 / freedom + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96 / freedom ** 2;
}
