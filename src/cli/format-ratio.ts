import type { SpeedUp } from '../benchmark/compare.ts';

/** `2.10x [2.02, 2.18]`, or why there is none. */
export function formatRatio({ ratio, lower, upper }: Pick<SpeedUp, 'ratio' | 'lower' | 'upper'>): string {
  if (ratio === null || lower === null || upper === null) return 'too few rounds to compare';
  return `${ratio.toFixed(2)}x [${lower.toFixed(2)}, ${upper.toFixed(2)}]`;
}
