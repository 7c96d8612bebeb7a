import type { BenchResult } from '../../benchmark/bench-result.ts';
import { compareResults } from '../../benchmark/compare.ts';
import type { BenchRun } from '../../benchmark/controller.ts';
import { type BenchSettings, benchSettings } from '../../benchmark/settings.ts';
import type { Device } from '../../core/device.ts';
import { attemptAsync, type Problem } from '../../core/problem.ts';
import type { Result } from '../../core/result.ts';
import { benchVariants, type HostWait } from '../bench-variants.ts';
import type { TaskData } from '../task-data.ts';
import { unwrap } from '../unwrap.ts';
import type { WorkerHost } from '../worker-process.ts';
import type { LatencyFigures } from './measured-candidate.ts';
import { signalWithin } from './signal-within.ts';

export interface TimingOrder {
  readonly model: string;
  readonly float32Path: string;
  /** Models by the labels of their candidates. */
  readonly candidates: ReadonlyMap<string, string>;
  readonly data: TaskData;
  readonly threads: number;
  readonly device: Device;
  /** Infinite without a limit. */
  readonly withinSeconds: number;
}

export interface TimingDeps extends Pick<HostWait, 'clock' | 'signal' | 'onWaiting'> {
  readonly host: WorkerHost;
}

export interface TimedCandidates {
  readonly latencies: ReadonlyMap<string, LatencyFigures>;
  /** The time came before all rounds were measured. */
  readonly isCutShort: boolean;
}

const FLOAT32 = 'float32';
const LONGEST_WAIT_SECONDS = 15 * 60;
const FEWEST_ROUNDS = 3;

/**
 * Latency of one query at a time: float32 and the candidates take turns, each in processes of its own, with this host's
 * benchmark lock held. Problems: those of `benchVariants`.
 */
export function timeCandidates(
  { model, float32Path, candidates, data, threads, device, withinSeconds }: TimingOrder,
  { host, clock, signal, onWaiting }: TimingDeps,
): Promise<Result<TimedCandidates, Problem>> {
  return attemptAsync(async () => {
    const variants = [
      { variant: FLOAT32, path: float32Path },
      ...[...candidates].map(([variant, path]) => ({ variant, path })),
    ];
    const settings = unwrap(timingSettings(withinSeconds / variants.length));
    const run = await benchVariants(
      { model, variants, data, threads, device, settings },
      {
        host,
        clock,
        signal: signalWithin(signal, withinSeconds),
        waitSeconds: Math.min(LONGEST_WAIT_SECONDS, withinSeconds / 2),
        ...(onWaiting === undefined ? {} : { onWaiting }),
      },
    );
    return { latencies: latenciesOf(run), isCutShort: run.cancelled };
  });
}

/** With three processes of each the scatter between processes is a part of the intervals. */
const LONG: Partial<BenchSettings> = { rounds: 12, processes: 3, minDurationSeconds: 3, maxWarmUpSeconds: 1 };
/** Where time is short, the interval is that of the rounds alone. */
const SHORT: Partial<BenchSettings> = {
  rounds: 6,
  processes: 1,
  minDurationSeconds: 0.5,
  maxWarmUpSeconds: 0.5,
};
/** What a candidate takes with the long settings, warm-up and starting of processes included. */
const LONG_SECONDS = 12;

function timingSettings(secondsEach: number): Result<BenchSettings, Problem> {
  const given = secondsEach >= LONG_SECONDS ? LONG : SHORT;
  return benchSettings({
    scenario: 'single-stream',
    warmUpWindowSeconds: 0.1,
    // Slow models need not come to as many: rounds are what is compared.
    minQueries: 1,
    maxDurationSeconds: 2 * (given.minDurationSeconds ?? 1),
    ...given,
  });
}

function latenciesOf({ results, speedUps }: BenchRun): ReadonlyMap<string, LatencyFigures> {
  const [float32, ...candidates] = results;
  const measured = candidates.filter(({ rounds }) => rounds.length >= FEWEST_ROUNDS);
  const latencies = new Map<string, LatencyFigures>();
  for (const result of measured) {
    const speedUp = speedUps.find(({ candidate }) => candidate === result.variant);
    if (float32 === undefined || float32.rounds.length === 0) continue;
    latencies.set(result.variant, {
      medianSeconds: medianOf(result),
      float32Seconds: medianOf(float32),
      speedUp:
        speedUp?.ratio == null || speedUp.lower === null || speedUp.upper === null
          ? null
          : { ratio: speedUp.ratio, lower: speedUp.lower, upper: speedUp.upper },
      slowerThan: measured
        .filter((other) => other !== result && compareResults(other, result).outcome === 'slower')
        .map(({ variant }) => variant),
      invalidReasons: distinct([...result.invalidReasons, ...float32.invalidReasons]),
    });
  }
  return latencies;
}

/** Reasons that differ in their figures alone are said once. */
function distinct(reasons: readonly string[]): readonly string[] {
  const kinds = new Map(
    reasons.toReversed().map((reason) => [reason.replace(/\d[\d.,]*( \w?s)?/g, '#'), reason]),
  );
  return [...kinds.values()];
}

/** The median of the rounds' medians, which a few disturbed rounds do not move. */
function medianOf({ rounds }: BenchResult): number {
  const sorted = rounds.map(({ medianSeconds }) => medianSeconds).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** A map as plain data for the journal, and back. */
export const latencyEntries = {
  pack: (latencies: ReadonlyMap<string, LatencyFigures>) => [...latencies],
  unpack: (packed: unknown) => new Map(packed as [string, LatencyFigures][]),
};
