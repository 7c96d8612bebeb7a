import { type Problem, problem } from '../core/problem.ts';
import { err, ok, type Result } from '../core/result.ts';
import { minimumQueries } from './early-stopping.ts';
import { type BenchSettings, benchSettings } from './settings.ts';

/** What is asked of a system, and how its peak is looked for. */
export interface PeakSettings {
  /** The server scenario with a bound on the latency; `minDurationSeconds` is that of a trial. */
  readonly bench: BenchSettings & { readonly latencyBoundSeconds: number };
  /** How far the peak and the lowest rate that fails may be apart: 0.05 is 5 %. */
  readonly resolution: number;
  readonly maxTrials: number;
  /** A rate in queries per second that is enough; null to find what the system can do. */
  readonly enoughPerSecond: number | null;
}

export interface GivenPeakSettings {
  readonly latencyBoundSeconds: number;
  readonly latencyBoundPermille?: number;
  readonly concurrency?: number;
  readonly trialSeconds?: number;
  readonly seed?: number;
  readonly resolution?: number;
  readonly maxTrials?: number;
  readonly enoughPerSecond?: number | null;
}

/** Between being cut off while it works off what chance brought late, and being waited for in vain. */
const LENGTH_MARGIN = 1.25;

/** Defaults filled in and every number checked; the place of a problem is the field's name. */
export function peakSettings({
  trialSeconds = 10,
  resolution = 0.05,
  maxTrials = 30,
  enoughPerSecond = null,
  ...given
}: GivenPeakSettings): Result<PeakSettings, Problem<'invalid-bench-settings'>> {
  const bench = benchSettings({
    ...given,
    scenario: 'server',
    rounds: 1,
    minDurationSeconds: trialSeconds,
    ...(enoughPerSecond === null ? {} : { ratePerSecond: enoughPerSecond }),
  });
  if (!bench.ok) return bench;
  if (!(resolution > 0 && resolution < 1))
    return invalid('resolution', 'a share above 0 and below 1', resolution);
  if (!Number.isSafeInteger(maxTrials) || maxTrials < 1)
    return invalid('maxTrials', 'a whole number of at least 1', maxTrials);
  const { latencyBoundSeconds } = given;
  return ok({ bench: { ...bench.value, latencyBoundSeconds }, resolution, maxTrials, enoughPerSecond });
}

/**
 * The settings of one trial. Where so few queries come in its time that MLPerf's rule could not be met with even one of them
 * over the bound, it takes longer.
 */
export function trialSettings({ bench }: PeakSettings, ratePerSecond: number, trial: number): BenchSettings {
  const minQueries = minimumQueries(bench.latencyBoundPermille);
  const seconds = Math.max(bench.minDurationSeconds, minQueries / ratePerSecond);
  return {
    ...bench,
    ratePerSecond,
    minQueries,
    minDurationSeconds: bench.minDurationSeconds,
    maxDurationSeconds: seconds * LENGTH_MARGIN + 2 * bench.latencyBoundSeconds,
    // A trial may have several rounds, each with a seed of its own.
    seed: bench.seed + 100 * trial,
  };
}

function invalid(field: keyof PeakSettings, expected: string, found: unknown) {
  return err(
    problem('invalid-bench-settings', `Expected ${field} to be ${expected} but found ${found}`, {
      place: { field },
    }),
  );
}
