import { bucketsOf } from '../benchmark/statistics/latency-histogram.ts';
import type { PipelineResult } from './pipeline.ts';

/** How often a latency was measured. */
export interface LatencyRow {
  readonly suite: string;
  readonly measurement: string;
  readonly scenario: string;
  readonly variant: string;
  /** Both are in it. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly count: number;
}

/**
 * The latencies that a run measured, as it kept them: counts by ranges of three significant digits, not every query.
 * @param result of the run
 */
export function latencyRows(result: unknown): readonly LatencyRow[] {
  // A result that another version wrote may have a shape of its own.
  const { variants } = (result ?? {}) as Partial<PipelineResult>;
  if (!Array.isArray(variants)) return [];
  return (variants as PipelineResult['variants']).flatMap(({ variant, bench }) =>
    (bench ?? []).flatMap(({ suite, measurement, scenario, latencyHistogram }) =>
      (latencyHistogram === undefined ? [] : bucketsOf(latencyHistogram)).map(({ fromNs, toNs, count }) => ({
        suite,
        measurement,
        scenario,
        variant,
        fromSeconds: fromNs / 1e9,
        toSeconds: toNs / 1e9,
        count,
      })),
    ),
  );
}
