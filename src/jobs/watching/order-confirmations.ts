import type { Profile } from '../../config/profile.ts';
import type { WatchSettings } from '../../config/watch-settings.ts';
import type { Logger } from '../../core/log.ts';
import { attempt, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import type { Store } from '../../store/store.ts';
import type { SeriesChange, WatchedSeries } from '../../store/watched.ts';
import { type BenchOrder, suitesOf } from '../orders.ts';
import { FP32 } from '../pipeline.ts';
import type { IncomingOrder } from '../take-order.ts';
import { latencyMemoryOf } from './watch-memory.ts';
import type { StateDetail } from './watch-result.ts';

export interface ConfirmDeps {
  readonly store: Pick<Store, 'watchedSeries' | 'keepWatched' | 'listRuns'>;
  readonly settings: WatchSettings;
  /** Queues a run. */
  readonly order: (incoming: IncomingOrder) => Result<{ readonly id: string }, Problem>;
  readonly nowMs: number;
  readonly logger: Logger;
}

const DAY_MS = 24 * 3600_000;
const MOST_WAITING = 100;

/**
 * Orders a run for each measurement of a model whose latency is suspected, behind whatever else waits, unless one waits for it already or there
 * were enough of them today. A run that cannot be ordered now is ordered when the next one has told something.
 */
export function orderConfirmations(profile: Profile, deps: ConfirmDeps): void {
  const { store, settings, nowMs } = deps;
  if (!settings.confirm) return;
  const known = new Set([FP32, ...profile.variants.map(({ name }) => name)]);
  const suspected = ofThisHost(store.watchedSeries(profile.name)).filter(
    (series) => series.kind === 'latency' && series.state === 'suspected' && known.has(series.variant),
  );
  const measurements = new Map<string, WatchedSeries[]>();
  for (const one of suspected) {
    const key = JSON.stringify([one.suite, one.measurement]);
    measurements.set(key, [...(measurements.get(key) ?? []), one]);
  }
  for (const series of measurements.values()) {
    const due = series.filter((of) => recent(of, nowMs).length < settings.confirmationsPerDay);
    if (due.length > 0 && isMeasured(profile, due) && !isWaiting(profile, due, store))
      order(profile, due, deps);
  }
}

function order(profile: Profile, series: readonly WatchedSeries[], deps: ConfirmDeps): void {
  const { store, nowMs, logger } = deps;
  const [{ suite, measurement }] = series as readonly [WatchedSeries];
  const artifacts = series.flatMap((of) => {
    const artifact = latencyMemoryOf(of).good?.artifact;
    return artifact === undefined ? [] : [[of.variant, artifact] as const];
  });
  const bench: BenchOrder = {
    kind: 'bench',
    variants: series.map(({ variant }) => variant),
    suite,
    confirms: { measurement, artifacts: Object.fromEntries(artifacts) },
  };
  const ordered = deps.order({ model: profile.name, order: bench, priority: 'low' });
  if (!ordered.ok) {
    logger.warn('what is suspected cannot be measured anew now', { model: profile.name, ...ordered.error });
    return;
  }
  const { id } = ordered.value;
  logger.info('what is suspected is measured anew', { model: profile.name, run: id, suite, measurement });
  // The order stands; that it does not count towards the day does no harm.
  attempt(() => store.keepWatched(series.map((of) => noted(of, id, nowMs))));
}

function noted(series: WatchedSeries, run: string, nowMs: number): SeriesChange {
  const { kind, model, variant, suite, measurement, device, host, state } = series;
  const detail: StateDetail = { reason: 'ordered to see whether the suspicion holds', causes: [] };
  return {
    key: { kind, model, variant, suite, measurement, device, host },
    state,
    memory: { ...latencyMemoryOf(series), confirmedMs: [...recent(series, nowMs), nowMs] },
    atMs: nowMs,
    events: [{ kind: 'confirmation', run, detail }],
  };
}

function recent(series: WatchedSeries, nowMs: number): readonly number[] {
  return latencyMemoryOf(series).confirmedMs.filter((ms) => ms > nowMs - DAY_MS && ms <= nowMs);
}

/** Of series that differ in their host alone the one that was added to last: what another host measured nobody can confirm here. */
function ofThisHost(series: readonly WatchedSeries[]): readonly WatchedSeries[] {
  const newest = new Map<string, WatchedSeries>();
  for (const one of series) {
    const { kind, variant, suite, measurement, device } = one;
    const key = JSON.stringify([kind, variant, suite, measurement, device]);
    const other = newest.get(key);
    if (other === undefined || other.updatedMs < one.updatedMs) newest.set(key, one);
  }
  return [...newest.values()];
}

function isMeasured(profile: Profile, [series]: readonly WatchedSeries[]): boolean {
  return suitesOf(profile).some(
    ({ name, measurements }) =>
      name === series?.suite && measurements.some((of) => of.name === series.measurement),
  );
}

function isWaiting(
  { name: model }: Profile,
  [series]: readonly WatchedSeries[],
  store: Pick<Store, 'listRuns'>,
): boolean {
  const unfinished = (['queued', 'running'] as const).flatMap((state) =>
    store.listRuns({ model, kind: 'bench', state, limit: MOST_WAITING }),
  );
  return unfinished.some(({ request }) => {
    const { suite, confirms } = request as BenchOrder;
    return confirms?.measurement === series?.measurement && suite === series?.suite;
  });
}
