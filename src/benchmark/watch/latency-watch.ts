import { type Prediction, predictNext } from './prediction-limit.ts';

/**
 * `learning`: too few runs to expect anything. `suspected`: a run lies beyond the limit and waits for fresh runs to confirm it.
 * `regressed`: confirmed. `improved`: confirmed to be faster, which is news and no alarm. `acknowledged`: a regression that somebody knows
 * of, which is `regressed` again when it gets worse.
 */
export type LatencyState = 'learning' | 'steady' | 'suspected' | 'regressed' | 'improved' | 'acknowledged';

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

/** Where a value lies: beyond the limit that is worth a word, on either side, or not. */
type Side = 'slower' | 'faster' | 'within';

/** All that has to be remembered of a history of runs, as plain data. */
export interface LatencyMemory {
  readonly state: LatencyState;
  /** Latencies of the runs that the expectation is made of. */
  readonly baseline: readonly number[];
  /** The first run of the streak that made the state `regressed` or `improved`; null otherwise. */
  readonly since: string | null;
  /** The runs that are beyond the limit, or back within it, one after the other, up to now. */
  readonly streak: { readonly side: Side; readonly length: number; readonly begin: string };
  /** Runs beyond the limit that nothing has confirmed. */
  readonly doubted: readonly number[];
  readonly last: number | null;
  readonly acknowledged: Acknowledged | null;
}

interface Acknowledged {
  /** The latency that somebody knows of. */
  readonly latency: number;
  /** Runs in a row that were slower than that by as much as makes a regression. */
  readonly worse: number;
}

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

/** Before the first run. */
export const NO_RUNS: LatencyMemory = {
  state: 'learning',
  baseline: [],
  since: null,
  streak: { side: 'within', length: 0, begin: '' },
  doubted: [],
  last: null,
  acknowledged: null,
};

/**
 * Goes through the latencies of runs, the oldest first, all of one variant, measurement and host, and valid.
 * @param latencies a figure of each run in seconds, greater than zero
 */
export function watchLatency(
  latencies: readonly number[],
  settings: LatencyWatchSettings = LATENCY_WATCH,
): LatencyWatch {
  const memory = latencies.reduce<LatencyMemory>(
    (before, latency, at) => takeLatency(before, { run: String(at), latency }, settings),
    NO_RUNS,
  );
  return {
    ...expectationOf(memory, settings),
    state: memory.state,
    since: memory.since === null ? null : Number(memory.since),
    baselineRuns: memory.baseline.length,
  };
}

/** What is remembered after one more run. The same history gives the same memory. */
export function takeLatency(
  before: LatencyMemory,
  { run, latency }: { readonly run: string; readonly latency: number },
  settings: LatencyWatchSettings = LATENCY_WATCH,
): LatencyMemory {
  const known = { ...before, last: latency };
  const side = sideOf(latency, before.baseline, settings);
  if (side === null) {
    const baseline = [...before.baseline, latency];
    return { ...known, baseline, state: baseline.length >= settings.fewestRuns ? 'steady' : before.state };
  }
  const { streak: last } = before;
  const streak = last.side === side ? { ...last, length: last.length + 1 } : { side, length: 1, begin: run };
  if (side === 'within') {
    const settled = isSettled(before.state);
    if (settled && streak.length < settings.recoveries) return { ...known, streak };
    // What was suspected and not confirmed was the scatter of the host, and the baseline is to know of it.
    const learned = settled ? before.baseline : [...before.baseline, ...before.doubted, latency];
    const baseline = learned.slice(0, settings.mostRuns);
    return { ...known, streak, baseline, state: 'steady', since: null, doubted: [], acknowledged: null };
  }
  if (streak.length > settings.confirmations) {
    const since = before.since ?? streak.begin;
    if (side === 'faster')
      return { ...known, streak, since, state: 'improved', doubted: [], acknowledged: null };
    const acknowledged = stillAcknowledged(before, latency, settings);
    const state = acknowledged === null ? 'regressed' : 'acknowledged';
    return { ...known, streak, since, state, doubted: [], acknowledged };
  }
  if (isSettled(before.state)) return { ...known, streak };
  const doubted = [...before.doubted, latency];
  return { ...known, streak, doubted, state: side === 'slower' ? 'suspected' : 'steady' };
}

/** Takes a regression as it is for known. Undefined where there is none. */
export function acknowledgeLatency(before: LatencyMemory): LatencyMemory | undefined {
  if (before.state !== 'regressed' || before.last === null) return undefined;
  return { ...before, state: 'acknowledged', acknowledged: { latency: before.last, worse: 0 } };
}

/** What is expected of the next run, and how the last one compares. */
export function expectationOf(
  { state, baseline, last }: LatencyMemory,
  settings: LatencyWatchSettings = LATENCY_WATCH,
): Pick<LatencyWatch, 'expected' | 'limit' | 'changeRatio'> {
  const expected = state === 'learning' ? null : predictNext(baseline, settings.confidence);
  return {
    expected,
    limit: expected === null ? null : limitOf(expected, settings),
    changeRatio: expected === null || last === null ? null : last / expected.level,
  };
}

function isSettled(state: LatencyState): boolean {
  return state === 'regressed' || state === 'improved' || state === 'acknowledged';
}

/** Null where nothing was acknowledged, or it got worse than that: by the same limit, and confirmed as any regression. */
function stillAcknowledged(
  { acknowledged, baseline }: LatencyMemory,
  latency: number,
  settings: LatencyWatchSettings,
): Acknowledged | null {
  const expected = predictNext(baseline, settings.confidence);
  if (acknowledged === null || expected === null) return null;
  const isWorse = latency > (acknowledged.latency * limitOf(expected, settings)) / expected.level;
  const worse = isWorse ? acknowledged.worse + 1 : 0;
  return worse > settings.confirmations ? null : { ...acknowledged, worse };
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
