import { type Prediction, predictNext } from './prediction-limit.ts';

/**
 * `learning`: too few runs to expect anything. `suspected`: a run lies beyond the limit and waits for fresh runs to confirm it.
 * `regressed`: confirmed. `improved`: confirmed to be faster, which is news and no alarm.
 */
export type LatencyState = 'learning' | 'steady' | 'suspected' | 'regressed' | 'improved';

export interface LatencyWatchSettings {
  /** One-sided confidence of the limit for a single run. */
  readonly confidence: number;
  /** Runs that a baseline needs before anything is expected. */
  readonly fewestRuns: number;
  /** A baseline is taken from so many runs and then stays as it is: one that went along would follow a slow drift. */
  readonly mostRuns: number;
  /** The smallest relative change worth a word; never less than twice the scatter between runs. */
  readonly minEffectRatio: number;
  /** Fresh runs that all have to lie beyond the limit too. */
  readonly confirmations: number;
  /** Runs in a row that have to be back before a regression is over. */
  readonly recoveries: number;
}

const LATENCY_WATCH: LatencyWatchSettings = {
  confidence: 0.995,
  fewestRuns: 10,
  mostRuns: 64,
  minEffectRatio: 0.05,
  confirmations: 2,
  recoveries: 2,
};

/** What is known after a history of runs. */
export interface LatencyWatch {
  readonly state: LatencyState;
  /** Null while learning. */
  readonly expected: Prediction | null;
  /** The value from which on a run is suspected; null while learning. */
  readonly limit: number | null;
  /** The last value by the level of the baseline; null while learning. */
  readonly changeRatio: number | null;
  /** The place in the history at which the present state of `regressed` or `improved` began; null otherwise. */
  readonly since: number | null;
  /** Runs that the baseline is made of. */
  readonly baselineRuns: number;
}

/** Where a value lies: beyond the limit that is worth a word, on either side, or not. */
type Side = 'slower' | 'faster' | 'within';

/**
 * Goes through the latencies of runs, the oldest first, all of one variant, measurement and host, and valid. The same history gives
 * the same answer: nothing has to be remembered but the runs.
 * @param latencies a figure of each run in seconds, greater than zero
 */
export function watchLatency(
  latencies: readonly number[],
  settings: LatencyWatchSettings = LATENCY_WATCH,
): LatencyWatch {
  const baseline: number[] = [];
  let state: LatencyState = 'learning';
  let since: number | null = null;
  /** The runs that are beyond the limit, or back within it, one after the other, up to now. */
  let streak = { side: 'within' as Side, length: 0, begin: 0 };
  /** Runs beyond the limit that nothing has confirmed. */
  let doubted: number[] = [];
  latencies.forEach((latency, at) => {
    const side = sideOf(latency, baseline, settings);
    if (side === null) {
      baseline.push(latency);
      if (baseline.length >= settings.fewestRuns) state = 'steady';
      return;
    }
    streak = streak.side === side ? { ...streak, length: streak.length + 1 } : { side, length: 1, begin: at };
    if (side === 'within') {
      const settled = state === 'regressed' || state === 'improved';
      if (settled && streak.length < settings.recoveries) return;
      state = 'steady';
      since = null;
      // What was suspected and not confirmed was the scatter of the host, and the baseline is to know of it.
      if (!settled) baseline.push(...doubted, latency);
      baseline.length = Math.min(baseline.length, settings.mostRuns);
      doubted = [];
      return;
    }
    doubted.push(latency);
    const confirmed = streak.length > settings.confirmations;
    if (confirmed) {
      state = side === 'slower' ? 'regressed' : 'improved';
      since ??= streak.begin;
      doubted = [];
    } else if (state === 'steady' || state === 'suspected') {
      state = side === 'slower' ? 'suspected' : 'steady';
    }
  });
  return summarize({ state, since, baseline, last: latencies.at(-1), settings });
}

/** The threshold: beyond the limit of a single run, and so much that it matters. */
function limitOf({ level, upper, logStddev }: Prediction, { minEffectRatio }: LatencyWatchSettings): number {
  return Math.max(upper, level * Math.exp(Math.max(Math.log1p(minEffectRatio), 2 * logStddev)));
}

/** Null where the baseline is too small to tell. */
function sideOf(latency: number, baseline: readonly number[], settings: LatencyWatchSettings): Side | null {
  if (baseline.length < settings.fewestRuns) return null;
  const expected = predictNext(baseline, settings.confidence);
  if (expected === null) return null;
  const limit = limitOf(expected, settings);
  if (latency > limit) return 'slower';
  return latency < expected.level ** 2 / limit ? 'faster' : 'within';
}

function summarize(of: {
  readonly state: LatencyState;
  readonly since: number | null;
  readonly baseline: readonly number[];
  readonly last: number | undefined;
  readonly settings: LatencyWatchSettings;
}): LatencyWatch {
  const { state, since, baseline, last, settings } = of;
  const expected = state === 'learning' ? null : predictNext(baseline, settings.confidence);
  return {
    state,
    expected,
    limit: expected === null ? null : limitOf(expected, settings),
    changeRatio: expected === null || last === undefined ? null : last / expected.level,
    since: state === 'regressed' || state === 'improved' ? since : null,
    baselineRuns: baseline.length,
  };
}
