import type { Scenario } from '../core/bench-terms.ts';
import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ArrivalProcess } from './load/arrivals.ts';
import { isScheduled, takesConcurrency } from './scenario.ts';

/** How a benchmark is run. Durations and counts are totals for one variant; rounds share them. */
export interface BenchSettings {
  readonly scenario: Scenario;
  /** Turns that each variant gets. An even number keeps the mirrored order complete. */
  readonly rounds: number;
  /** Fresh processes of each variant that share the rounds; null for `processCount` to choose. */
  readonly processes: number | null;
  readonly minDurationSeconds: number;
  /** Measuring stops here even when `minQueries` is not reached. */
  readonly maxDurationSeconds: number;
  /** In the offline scenario, runs of the model. */
  readonly minQueries: number;
  /** Lanes that each have a session of their own: queries that can be under way at once. */
  readonly concurrency: number;
  /** Of a multi-stream query. */
  readonly samplesPerQuery: number;
  /** Queries per second of server and constant-rate, and where a ramp ends. Null for a share of what the base can do. */
  readonly ratePerSecond: number | null;
  /** The share of the base's throughput in the warm-up that is offered where no rate is given. */
  readonly capacityShare: number;
  /** Where a ramp begins; null for 0. */
  readonly rampFromPerSecond: number | null;
  /** What a replay replays, the same in every round. */
  readonly trace: Extract<ArrivalProcess, { kind: 'trace' }> | null;
  /** The bound that a scheduled scenario's latency is judged by; null to judge nothing. */
  readonly latencyBoundSeconds: number | null;
  /** The percentile that has to stay within the bound, in thousandths. */
  readonly latencyBoundPermille: number;
  readonly warmUpWindowSeconds: number;
  readonly maxWarmUpSeconds: number;
  /** Unmeasured running at the start of each round, when another variant ran in between. */
  readonly leadInSeconds: number;
  /** How long a system may complete nothing before it is given up. */
  readonly graceSeconds: number;
  /** CPU cores that other work may take on average before the result is invalid. */
  readonly maxOtherCpuCores: number;
  readonly seed: number;
}

/**
 * LoadGen's defaults (10 s, 100 queries) in rounds of less than half a second, four for each of six processes: short turns
 * leave a drifting host less time to treat one variant differently, and 24 make whole mirrored designs of two and of three
 * variants.
 */
const DEFAULT_SETTINGS: BenchSettings = {
  scenario: 'single-stream',
  rounds: 24,
  processes: null,
  minDurationSeconds: 10,
  maxDurationSeconds: 60,
  minQueries: 100,
  concurrency: 1,
  samplesPerQuery: 8,
  ratePerSecond: null,
  capacityShare: 0.7,
  rampFromPerSecond: null,
  trace: null,
  latencyBoundSeconds: null,
  latencyBoundPermille: 990,
  warmUpWindowSeconds: 0.25,
  maxWarmUpSeconds: 10,
  leadInSeconds: 0.05,
  graceSeconds: 60,
  maxOtherCpuCores: 0.25,
  seed: 1,
};

/** A queue needs time to show what it does, and a trace is replayed whole: one mirrored pair of rounds each. */
const SCHEDULED_ROUNDS = 4;
const REPLAY_ROUNDS = 2;

/**
 * Six processes bring the 95 % interval of a difference near one standard deviation between processes (0.7 % to 2 % on hosts
 * of two CPUs); fewer than three tell nothing about it.
 */
const COMPARED_PROCESSES = 6;
export const FEWEST_PROCESSES = 3;

const SHORTEST_WARM_UP_SECONDS = 2;

type NumberField = {
  [F in keyof BenchSettings]: BenchSettings[F] extends number | null ? F : never;
}[keyof BenchSettings];

const WHOLE: readonly NumberField[] = [
  'rounds',
  'minQueries',
  'concurrency',
  'samplesPerQuery',
  'latencyBoundPermille',
];
const ABOVE_ZERO: readonly NumberField[] = [
  'minDurationSeconds',
  'maxDurationSeconds',
  'ratePerSecond',
  'capacityShare',
  'latencyBoundSeconds',
  'warmUpWindowSeconds',
  'maxWarmUpSeconds',
  'graceSeconds',
];
const ZERO_OR_MORE: readonly NumberField[] = ['leadInSeconds', 'maxOtherCpuCores', 'rampFromPerSecond'];

/**
 * Settings with defaults filled in and every number checked. `maxDurationSeconds` not given becomes six times
 * `minDurationSeconds`; `maxWarmUpSeconds` not given becomes `minDurationSeconds` within 2 and 10 s, so that a short
 * benchmark stays short. The place of a problem is the field's name.
 */
export function benchSettings(
  given: Partial<BenchSettings>,
): Result<BenchSettings, Problem<'invalid-bench-settings'>> {
  const minDurationSeconds = given.minDurationSeconds ?? shortestDuration(given);
  const settings: BenchSettings = {
    ...DEFAULT_SETTINGS,
    rounds: defaultRounds(given.scenario ?? DEFAULT_SETTINGS.scenario),
    minDurationSeconds,
    maxDurationSeconds: minDurationSeconds * 6,
    maxWarmUpSeconds: Math.min(
      DEFAULT_SETTINGS.maxWarmUpSeconds,
      Math.max(SHORTEST_WARM_UP_SECONDS, minDurationSeconds),
    ),
    ...given,
  };
  for (const field of WHOLE) {
    const value = settings[field];
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      return invalid(field, 'a whole number of at least 1', value);
  }
  for (const field of ABOVE_ZERO) {
    const value = settings[field];
    if (value !== null && (!Number.isFinite(value) || value <= 0))
      return invalid(field, 'a number above 0', value);
  }
  for (const field of ZERO_OR_MORE) {
    const value = settings[field];
    if (value !== null && (!Number.isFinite(value) || value < 0))
      return invalid(field, 'a number of at least 0', value);
  }
  if (!Number.isSafeInteger(settings.seed)) return invalid('seed', 'a whole number', settings.seed);
  if (settings.maxDurationSeconds < settings.minDurationSeconds) {
    const expected = `at least minDurationSeconds (${settings.minDurationSeconds})`;
    return invalid('maxDurationSeconds', expected, settings.maxDurationSeconds);
  }
  return fitsScenario(settings);
}

/** Settings that contradict their scenario are a mistake, not ignored. */
function fitsScenario(settings: BenchSettings): Result<BenchSettings, Problem<'invalid-bench-settings'>> {
  const { scenario, concurrency, trace, rampFromPerSecond, ratePerSecond, latencyBoundSeconds } = settings;
  const { processes, rounds } = settings;
  if (processes !== null && !(Number.isSafeInteger(processes) && processes >= 1 && processes <= rounds))
    return invalid('processes', `a whole number from 1 to the ${rounds} rounds that they share`, processes);
  if (concurrency > 1 && !takesConcurrency(scenario)) {
    return invalid(
      'concurrency',
      `1 in ${scenario}; closed-loop keeps several queries under way`,
      concurrency,
    );
  }
  if (scenario === 'replay' && trace === null) return invalid('trace', 'given for a replay', 'none');
  if (scenario !== 'replay' && trace !== null) return invalid('scenario', 'replay with a trace', scenario);
  if (rampFromPerSecond !== null && scenario !== 'ramp')
    return invalid('rampFromPerSecond', `left out in ${scenario}`, rampFromPerSecond);
  if (ratePerSecond !== null && (!isScheduled(scenario) || scenario === 'replay'))
    return invalid('ratePerSecond', `left out in ${scenario}`, ratePerSecond);
  if (latencyBoundSeconds !== null && !isScheduled(scenario))
    return invalid(
      'latencyBoundSeconds',
      `left out in ${scenario}, which has no schedule`,
      latencyBoundSeconds,
    );
  if (settings.latencyBoundPermille > 999)
    return invalid('latencyBoundPermille', 'at most 999', settings.latencyBoundPermille);
  return ok(settings);
}

/** How many processes of each variant share the rounds: one where nothing is compared. */
export function processCount(
  { processes, rounds }: Pick<BenchSettings, 'processes' | 'rounds'>,
  variants: number,
): number {
  if (processes !== null) return processes;
  return variants > 1 && rounds >= FEWEST_PROCESSES ? Math.min(COMPARED_PROCESSES, rounds) : 1;
}

function defaultRounds(scenario: Scenario): number {
  if (scenario === 'replay') return REPLAY_ROUNDS;
  return isScheduled(scenario) ? SCHEDULED_ROUNDS : DEFAULT_SETTINGS.rounds;
}

/** A trace is as long as it is, in every round. */
function shortestDuration({ trace, rounds }: Partial<BenchSettings>): number {
  if (trace === undefined || trace === null) return DEFAULT_SETTINGS.minDurationSeconds;
  return Math.max(1e-3, ((trace.dueNs.at(-1) ?? 0) / 1e9) * (rounds ?? REPLAY_ROUNDS));
}

function invalid(field: keyof BenchSettings, expected: string, found: unknown) {
  return err(
    problem('invalid-bench-settings', `Expected ${field} to be ${expected} but found ${found}`, {
      place: { field },
    }),
  );
}
