import { expectationOf } from '../../benchmark/watch/latency-watch.ts';
import type { Store } from '../../store/store.ts';
import type { SeriesKey, WatchEvent, WatchedSeries } from '../../store/watched.ts';
import { accuracyMemoryOf, latencyMemoryOf } from './watch-memory.ts';
import type { StateDetail } from './watch-result.ts';

/** What is watched of a model. */
export interface WatchView {
  readonly series: readonly SeriesView[];
  /** The newest first. */
  readonly events: readonly EventView[];
}

export interface SeriesView extends SeriesKey {
  readonly state: WatchState;
  readonly sinceMs: number;
  readonly updatedMs: number;
  readonly latency?: LatencyView;
  readonly accuracy?: AccuracyView;
}

type WatchState = ReturnType<typeof latencyMemoryOf>['watch']['state'];

interface LatencyView {
  readonly baselineRuns: number;
  /** These are null before there are enough runs. */
  readonly expectedSeconds: number | null;
  readonly limitSeconds: number | null;
  readonly lastSeconds: number | null;
  readonly changeRatio: number | null;
  readonly acknowledgedSeconds: number | null;
}

interface AccuracyView {
  /** The run that later ones are held to. */
  readonly baselineRun: string | null;
  readonly baseline: number | null;
  readonly last: number | null;
  /** How much of the metric is lost, in its units; null where it was not compared. */
  readonly lossToBaseline: number | null;
  readonly lossToFp32: number | null;
}

export interface EventView extends Omit<WatchEvent, 'detail'>, SeriesKeyed, StateDetail {}

interface SeriesKeyed {
  readonly of: SeriesKey;
}

const MOST_EVENTS = 100;

export function watchView(store: Pick<Store, 'watchedSeries' | 'watchEvents'>, model: string): WatchView {
  const series = store.watchedSeries(model);
  const keys = new Map(series.map((one) => [one.id, keyOf(one)]));
  const events = store.watchEvents(model, MOST_EVENTS).flatMap(({ series: id, detail, ...event }) => {
    const of = keys.get(id);
    return of === undefined ? [] : [{ ...event, of, ...(detail as StateDetail) }];
  });
  return { series: series.map(seriesView), events };
}

/** A series without what is known of it. */
export function keyOf({ kind, model, variant, suite, measurement, device, host }: SeriesKey): SeriesKey {
  return { kind, model, variant, suite, measurement, device, host };
}

function seriesView(series: WatchedSeries): SeriesView {
  const { sinceMs, updatedMs } = series;
  const shared = { ...keyOf(series), sinceMs, updatedMs };
  if (series.kind === 'latency') {
    const { watch } = latencyMemoryOf(series);
    const { expected, limit, changeRatio } = expectationOf(watch);
    return {
      ...shared,
      state: watch.state,
      latency: {
        baselineRuns: watch.baseline.length,
        expectedSeconds: expected?.level ?? null,
        limitSeconds: limit,
        lastSeconds: watch.last,
        changeRatio,
        acknowledgedSeconds: watch.acknowledged?.latency ?? null,
      },
    };
  }
  const { watch } = accuracyMemoryOf(series);
  return {
    ...shared,
    state: watch.state,
    accuracy: {
      baselineRun: watch.baseline?.run ?? null,
      baseline: watch.baseline?.value ?? null,
      last: watch.last?.value ?? null,
      lossToBaseline: watch.last?.baseline?.loss ?? null,
      lossToFp32: watch.last?.fp32?.loss ?? null,
    },
  };
}
