import type { MetricRegistry } from './families.ts';
import { HistogramFamily } from './histogram-family.ts';
import { SeriesFamily } from './series-family.ts';

/** What a model has now; series of anything else of it are of the past. */
export interface ModelSeries {
  readonly variants: ReadonlySet<string>;
  readonly suites: ReadonlySet<string>;
}

/**
 * Takes away the series of a model: all of them, or those of variants and suites that it has no more. Counters of
 * prom-client itself, which are of a model as a whole, are left to whoever made them.
 */
export function forgetModel(registry: MetricRegistry, model: string, kept?: ModelSeries): void {
  const isOver = (labels: Readonly<Record<string, string>>): boolean => {
    if (labels['model'] !== model) return false;
    if (kept === undefined) return true;
    const { variant, suite } = labels;
    return (
      (variant !== undefined && !kept.variants.has(variant)) ||
      (suite !== undefined && !kept.suites.has(suite))
    );
  };
  for (const metric of registry.getMetricsAsArray() as unknown[]) {
    if (metric instanceof SeriesFamily || metric instanceof HistogramFamily) metric.removeWhere(isOver);
  }
}
