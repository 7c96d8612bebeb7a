import { expectationOf } from '../../benchmark/watch/latency-watch.ts';
import type { ModelSeries } from '../../metrics/forget-models.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Store } from '../../store/store.ts';
import type { WatchedSeries } from '../../store/watched.ts';
import { accuracyMemoryOf, latencyMemoryOf } from './watch-memory.ts';

/** Exports what is watched of a model that it still has. */
export function showWatched(
  { store, metrics }: ShowDeps,
  model: string,
  { variants, suites }: ModelSeries,
): void {
  const known = store
    .watchedSeries(model)
    .filter(
      ({ kind, variant, suite }) => variants.has(variant) && (kind === 'accuracy' || suites.has(suite)),
    );
  showSeries(metrics, known);
}

interface ShowDeps {
  readonly store: Pick<Store, 'watchedSeries'>;
  readonly metrics: Pick<Metrics, 'showLatencyWatch' | 'showAccuracyWatch'>;
}

/** Exports what is known of series. Of several hosts, as where a data directory has moved, the last one counts. */
function showSeries(
  metrics: Pick<Metrics, 'showLatencyWatch' | 'showAccuracyWatch'>,
  series: readonly WatchedSeries[],
): void {
  // What was added to last is shown last, over the others.
  for (const one of series.toSorted((a, b) => a.updatedMs - b.updatedMs)) {
    if (one.kind === 'latency') showLatency(metrics, one);
    else showAccuracy(metrics, one);
  }
}

function showLatency(metrics: Pick<Metrics, 'showLatencyWatch'>, series: WatchedSeries): void {
  const { model, variant, suite, measurement } = series;
  const { watch, provider, scenario } = latencyMemoryOf(series);
  const { expected, limit, changeRatio } = expectationOf(watch);
  metrics.showLatencyWatch({
    ...{ model, variant, suite, measurement, provider, scenario },
    state: watch.state,
    ...(expected === null ? {} : { expectedSeconds: expected.level }),
    ...(limit === null ? {} : { limitSeconds: limit }),
    ...(changeRatio === null ? {} : { changeRatio }),
  });
}

function showAccuracy(metrics: Pick<Metrics, 'showAccuracyWatch'>, series: WatchedSeries): void {
  const { model, variant } = series;
  const { watch, drop } = accuracyMemoryOf(series);
  metrics.showAccuracyWatch({ model, variant, state: watch.state, ...(drop === null ? {} : { drop }) });
}
