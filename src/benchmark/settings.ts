import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Scenario } from './round.ts';

/** How a benchmark is run. Durations and counts are totals for one variant; rounds share them. */
export interface BenchSettings {
  readonly scenario: Scenario;
  /** Turns that each variant gets. An even number keeps the mirrored order complete. */
  readonly rounds: number;
  readonly minDurationSeconds: number;
  /** Measuring stops here even when `minQueries` is not reached. */
  readonly maxDurationSeconds: number;
  /** In the offline scenario, runs of the model. */
  readonly minQueries: number;
  readonly warmUpWindowSeconds: number;
  readonly maxWarmUpSeconds: number;
  /** Unmeasured running at the start of each round, when another variant ran in between. */
  readonly leadInSeconds: number;
  /** How long a system may stay silent beyond the time it was asked to run before it is given up. */
  readonly graceSeconds: number;
  /** CPU cores that other work may take on average before the result is invalid. */
  readonly maxOtherCpuCores: number;
  readonly seed: number;
}

/**
 * LoadGen's defaults (10 s, 100 queries) in twelve rounds: whole mirrored designs of two and of three variants, and enough
 * that the noise floor of `compareResults` keeps false differences at half the level of its interval.
 */
const DEFAULT_SETTINGS: BenchSettings = {
  scenario: 'single-stream',
  rounds: 12,
  minDurationSeconds: 10,
  maxDurationSeconds: 60,
  minQueries: 100,
  warmUpWindowSeconds: 0.25,
  maxWarmUpSeconds: 10,
  leadInSeconds: 0.05,
  graceSeconds: 60,
  maxOtherCpuCores: 0.25,
  seed: 1,
};

const SHORTEST_WARM_UP_SECONDS = 2;

const WHOLE: readonly (keyof BenchSettings)[] = ['rounds', 'minQueries'];
const ABOVE_ZERO: readonly (keyof BenchSettings)[] = [
  'minDurationSeconds',
  'maxDurationSeconds',
  'warmUpWindowSeconds',
  'maxWarmUpSeconds',
  'graceSeconds',
];
const ZERO_OR_MORE: readonly (keyof BenchSettings)[] = ['leadInSeconds', 'maxOtherCpuCores'];

/**
 * Settings with defaults filled in and every number checked. `maxDurationSeconds` not given becomes six times
 * `minDurationSeconds`; `maxWarmUpSeconds` not given becomes `minDurationSeconds` within 2 and 10 s, so that a short
 * benchmark stays short. The place of a problem is the field's name.
 */
export function benchSettings(
  given: Partial<BenchSettings>,
): Result<BenchSettings, Problem<'invalid-bench-settings'>> {
  const minDurationSeconds = given.minDurationSeconds ?? DEFAULT_SETTINGS.minDurationSeconds;
  const settings = {
    ...DEFAULT_SETTINGS,
    maxDurationSeconds: minDurationSeconds * 6,
    maxWarmUpSeconds: Math.min(
      DEFAULT_SETTINGS.maxWarmUpSeconds,
      Math.max(SHORTEST_WARM_UP_SECONDS, minDurationSeconds),
    ),
    ...given,
  };
  for (const field of WHOLE) {
    const value = settings[field] as number;
    if (!Number.isSafeInteger(value) || value < 1)
      return invalid(field, 'a whole number of at least 1', value);
  }
  for (const field of ABOVE_ZERO) {
    const value = settings[field] as number;
    if (!Number.isFinite(value) || value <= 0) return invalid(field, 'a number above 0', value);
  }
  for (const field of ZERO_OR_MORE) {
    const value = settings[field] as number;
    if (!Number.isFinite(value) || value < 0) return invalid(field, 'a number of at least 0', value);
  }
  if (!Number.isSafeInteger(settings.seed)) return invalid('seed', 'a whole number', settings.seed);
  if (settings.maxDurationSeconds < settings.minDurationSeconds) {
    const expected = `at least minDurationSeconds (${settings.minDurationSeconds})`;
    return invalid('maxDurationSeconds', expected, settings.maxDurationSeconds);
  }
  return ok(settings);
}

function invalid(field: keyof BenchSettings, expected: string, found: number) {
  return err(
    problem('invalid-bench-settings', `Expected ${field} to be ${expected} but found ${found}`, {
      place: { field },
    }),
  );
}
