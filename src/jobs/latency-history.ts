import { findChangePoints } from '../benchmark/watch/change-points.ts';
import { type LatencyState, watchLatency } from '../benchmark/watch/latency-watch.ts';
import type { HistoryPoint } from './model-history.ts';

/** What the history of a measurement says of its last runs. */
export interface LatencyHistory {
  readonly variant: string;
  readonly suite: string;
  readonly measurement: string;
  /** The host that the last of the runs was on; runs on others are left out. */
  readonly host: string;
  readonly state: LatencyState;
  /** Runs that the expectation is made of. */
  readonly baselineRuns: number;
  /** Null before there are enough runs. */
  readonly expectedSeconds: number | null;
  readonly limitSeconds: number | null;
  /** The last run by what was expected. */
  readonly changeRatio: number | null;
  /** The run at which the state `regressed` or `improved` began. */
  readonly since?: string;
  /** Where the level changed, looking back: the first run of each new level, and the new level by the old one. */
  readonly changes: readonly { readonly run: string; readonly ratio: number }[];
}

/** Looks at medians of valid measurements, each variant and measurement apart. `points` are those of a history, the oldest first. */
export function latencyHistories(points: readonly HistoryPoint[]): readonly LatencyHistory[] {
  const series = new Map<string, HistoryPoint[]>();
  for (const point of points) {
    const key = JSON.stringify([point.variant, point.suite, point.measurement]);
    const known = series.get(key);
    if (known === undefined) series.set(key, [point]);
    else known.push(point);
  }
  return [...series.values()].flatMap((of) => latencyHistory(of) ?? []);
}

function latencyHistory(points: readonly HistoryPoint[]): LatencyHistory | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  const { variant, suite, measurement, host } = last;
  const runs = points.flatMap(({ run, valid, p50Seconds, host: measuredOn }) =>
    valid && p50Seconds !== null && p50Seconds > 0 && measuredOn === host ? [{ run, p50Seconds }] : [],
  );
  const latencies = runs.map(({ p50Seconds }) => p50Seconds);
  const { state, baselineRuns, expected, limit, changeRatio, since } = watchLatency(latencies);
  const begun = since === null ? undefined : runs[since]?.run;
  return {
    variant,
    suite,
    measurement,
    host,
    state,
    baselineRuns,
    expectedSeconds: expected?.level ?? null,
    limitSeconds: limit,
    changeRatio,
    ...(begun === undefined ? {} : { since: begun }),
    changes: findChangePoints(latencies).flatMap(({ at, ratio }) => {
      const run = runs[at]?.run;
      return run === undefined ? [] : [{ run, ratio }];
    }),
  };
}
