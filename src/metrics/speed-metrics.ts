import type { MakeGauge } from './families.ts';

const SPEED_OUTCOMES = ['faster', 'slower', 'not-distinguished', 'too-few-rounds'] as const;

/** What a benchmark told of a variant against fp32. What is absent or null it could not tell. */
export interface SpeedUpObservation {
  readonly outcome: (typeof SPEED_OUTCOMES)[number];
  readonly ratio: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** Registers what is exported of comparisons with fp32. Returns what shows the last one of a series. */
export function createSpeedUp(
  gauge: MakeGauge,
  labelNames: readonly string[],
): (labels: Readonly<Record<string, string>>, speedUp: SpeedUpObservation | undefined) => void {
  const ratio = gauge(
    'ptq_bench_speedup_ratio',
    'Speed relative to fp32 in the same benchmark; above 1 is faster.',
    labelNames,
  );
  const lower = gauge(
    'ptq_bench_speedup_lower_ratio',
    'Lower bound of the interval of ptq_bench_speedup_ratio.',
    labelNames,
  );
  const upper = gauge(
    'ptq_bench_speedup_upper_ratio',
    'Upper bound of the interval of ptq_bench_speedup_ratio.',
    labelNames,
  );
  const outcomes = gauge(
    'ptq_bench_speed_outcome',
    '1 for what the comparison with fp32 says, 0 for the others: faster, slower, not-distinguished, too-few-rounds.',
    [...labelNames, 'outcome'],
  );
  return (labels, speedUp) => {
    ratio.set(labels, speedUp?.ratio ?? undefined);
    lower.set(labels, speedUp?.lower ?? undefined);
    upper.set(labels, speedUp?.upper ?? undefined);
    for (const outcome of SPEED_OUTCOMES) {
      const value = speedUp === undefined ? undefined : Number(outcome === speedUp.outcome);
      outcomes.set({ ...labels, outcome }, value);
    }
  };
}
