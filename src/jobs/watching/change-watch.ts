import {
  acknowledgeLatency,
  type LatencyMemory,
  NO_RUNS,
  takeLatency,
} from '../../benchmark/watch/latency-watch.ts';
import { attempt, type Problem, problem } from '../../core/problem.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { acknowledgeAccuracy, rebaselineAccuracy } from '../../evaluation/watch/accuracy-watch.ts';
import type { Store } from '../../store/store.ts';
import type { SeriesChange, SeriesKey, WatchedPoint, WatchedSeries } from '../../store/watched.ts';
import type { PointFacts } from './point-facts.ts';
import { accuracyMemoryOf, latencyMemoryOf } from './watch-memory.ts';
import type { StateDetail } from './watch-result.ts';

/** Which series of a model somebody means: all that are not told apart. */
export interface SeriesChoice {
  readonly kind?: SeriesKey['kind'];
  readonly variant?: string;
  readonly suite?: string;
  readonly measurement?: string;
}

export interface WatchOrder extends SeriesChoice {
  readonly model: string;
  /** In somebody's own words. */
  readonly reason: string;
}

type ChangeableStore = Pick<Store, 'watchedSeries' | 'watchedPoints' | 'keepWatched'>;

/**
 * Takes the regressions of a model for known: they do not alarm until they get worse. The series that were changed.
 * Problems: `nothing-to-acknowledge`, `store-not-written`.
 */
export function acknowledge(
  order: WatchOrder,
  store: ChangeableStore,
  nowMs: number,
): Result<readonly SeriesChange[], Problem> {
  const changes = chosen(order, store).flatMap((series): readonly SeriesChange[] => {
    const memory = acknowledged(series);
    if (memory === undefined) return [];
    const detail: StateDetail = { reason: order.reason, causes: [] };
    return [changeOf(series, memory, nowMs, { kind: 'acknowledged', detail })];
  });
  if (changes.length > 0) return keep(changes, store);
  return err(
    problem('nothing-to-acknowledge', `nothing that was chosen of '${order.model}' has regressed`, {
      hint: 'GET /models/{name}/watch has the states',
    }),
  );
}

/**
 * Expects from now on what was found last: of accuracy the last evaluation, of latency the runs since the level changed, or from `from` on,
 * and those that will come. The series that were changed. Problems: `nothing-to-pin`, `store-not-written`.
 * @param order with the id of the first run of the baseline, where somebody knows better
 */
export function rebaseline(
  order: WatchOrder & { readonly from?: string },
  store: ChangeableStore,
  nowMs: number,
): Result<readonly SeriesChange[], Problem> {
  const changes = chosen(order, store).flatMap((series): readonly SeriesChange[] => {
    const pinned = series.kind === 'latency' ? pinLatency(series, order.from, store) : pinAccuracy(series);
    if (pinned === undefined) return [];
    const { run, ...memory } = pinned;
    const detail: StateDetail = { reason: order.reason, causes: [] };
    return [changeOf(series, memory, nowMs, { kind: 'baseline', run, detail })];
  });
  if (changes.length > 0) return keep(changes, store);
  return err(
    problem(
      'nothing-to-pin',
      `there is no run of '${order.model}' that could be the baseline of what was chosen`,
      {
        hint: 'GET /models/{name}/watch has what is watched, and GET /models/{name}/history the runs',
      },
    ),
  );
}

function chosen(
  { model, kind, variant, suite, measurement }: WatchOrder,
  store: ChangeableStore,
): readonly WatchedSeries[] {
  const fits = (wanted: string | undefined, found: string) => wanted === undefined || wanted === found;
  return store
    .watchedSeries(model)
    .filter(
      (series) =>
        fits(kind, series.kind) &&
        fits(variant, series.variant) &&
        fits(suite, series.suite) &&
        fits(measurement, series.measurement),
    );
}

/** A state with what is remembered beside it. */
interface NextMemory {
  readonly state: string;
  readonly memory: unknown;
}

function acknowledged(series: WatchedSeries): NextMemory | undefined {
  const before = series.kind === 'latency' ? latencyMemoryOf(series) : accuracyMemoryOf(series);
  const watch =
    series.kind === 'latency'
      ? acknowledgeLatency(latencyMemoryOf(series).watch)
      : acknowledgeAccuracy(accuracyMemoryOf(series).watch);
  return watch === undefined ? undefined : { state: watch.state, memory: { ...before, watch } };
}

function pinLatency(
  series: WatchedSeries,
  from: string | undefined,
  store: ChangeableStore,
): (NextMemory & { readonly run: string }) | undefined {
  const before = latencyMemoryOf(series);
  const points = store.watchedPoints(series.id).filter(isFigure);
  const first = from ?? before.watch.since;
  const begin = first === null ? points.length - 1 : points.findIndex(({ run }) => run === first);
  const pinned = begin < 0 ? [] : points.slice(begin);
  const [one] = pinned;
  if (one === undefined) return undefined;
  const watch = pinned.reduce<LatencyMemory>(
    (memory, { run, figure }) => takeLatency(memory, { run, latency: figure }),
    NO_RUNS,
  );
  const good = pinned.at(-1)?.facts as PointFacts;
  return { run: one.run, state: watch.state, memory: { ...before, watch, good } };
}

function isFigure(point: WatchedPoint): point is WatchedPoint & { readonly figure: number } {
  return point.valid && point.figure !== null && point.figure > 0;
}

function pinAccuracy(series: WatchedSeries): (NextMemory & { readonly run: string }) | undefined {
  const before = accuracyMemoryOf(series);
  const watch = rebaselineAccuracy(before.watch);
  if (watch?.baseline == null) return undefined;
  return { run: watch.baseline.run, state: watch.state, memory: { ...before, watch, drop: null } };
}

function changeOf(
  { kind, model, variant, suite, measurement, device, host }: WatchedSeries,
  { state, memory }: NextMemory,
  atMs: number,
  event: SeriesChange['events'][number],
): SeriesChange {
  const key = { kind, model, variant, suite, measurement, device, host };
  return { key, state, memory, atMs, events: [event] };
}

function keep(
  changes: readonly SeriesChange[],
  store: ChangeableStore,
): Result<readonly SeriesChange[], Problem> {
  const kept = attempt<void, 'store-not-written'>(() => store.keepWatched(changes));
  return kept.ok ? ok(changes) : err(kept.error);
}
