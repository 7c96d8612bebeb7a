import { attemptAsync, type Problem } from '../core/problem.ts';
import type { Result } from '../core/result.ts';
import { runClosedLoop } from './closed-loop.ts';
import { sortedCopy } from './latency-statistics.ts';
import { seededRandom, shuffledIndices } from './random.ts';
import type { RoundContext } from './round.ts';

/** The rule of Triton's perf_analyzer: the last three windows lie within 10 % of one another. */
const STEADY_WINDOWS = 3;
const STEADY_RATIO = 1.1;

export interface WarmUpSpec {
  /** Length of one window. It always holds at least one query. */
  readonly windowDurationNs: number;
  /** When to give up. Three windows are always run, however slow the model. */
  readonly maxDurationNs: number;
  readonly seed: number;
  /** One sample of every distinct input shape, run first: a runtime tunes itself anew for each. */
  readonly shapeSamples?: readonly number[];
}

export interface WarmUpResult {
  readonly queries: number;
  readonly durationNs: number;
  /** False when the windows never came to agree; the measurement is then reported as unstable. */
  readonly steady: boolean;
  /** Of the last window. */
  readonly queriesPerSecond: number;
}

/** The throughput and the median latency of a window must both be steady. */
export interface WarmUpWindow {
  readonly queriesPerSecond: number;
  readonly medianNs: number;
}

/** Runs the system unmeasured until its speed is steady or the time is up. */
export function warmUpUntilSteady(
  context: RoundContext,
  spec: WarmUpSpec,
): Promise<Result<WarmUpResult, Problem>> {
  return attemptAsync(async () => {
    const startNs = context.nowNs();
    for (const sample of spec.shapeSamples ?? []) await context.sut.run(sample);
    const order = shuffledIndices(context.sut.sampleCount, seededRandom(spec.seed));
    const windows: WarmUpWindow[] = [];
    let queries = spec.shapeSamples?.length ?? 0;
    let durationNs = 0;
    do {
      const timing = await runClosedLoop(context, order, {
        minQueries: 1,
        minDurationNs: spec.windowDurationNs,
        maxDurationNs: Number.POSITIVE_INFINITY,
      });
      queries += timing.latencyNs.length;
      windows.push(windowOf(timing.latencyNs, timing.durationNs));
      durationNs = Number(context.nowNs() - startNs);
    } while (!isSteady(windows) && (windows.length < STEADY_WINDOWS || durationNs < spec.maxDurationNs));
    const queriesPerSecond = windows.at(-1)?.queriesPerSecond ?? 0;
    return { queries, durationNs, steady: isSteady(windows), queriesPerSecond };
  });
}

/** Whether the last three windows agree within 10 %, in throughput and in median latency. */
export function isSteady(windows: readonly WarmUpWindow[]): boolean {
  if (windows.length < STEADY_WINDOWS) return false;
  const last = windows.slice(-STEADY_WINDOWS);
  return (
    withinSteadyRatio(last.map((window) => window.queriesPerSecond)) &&
    withinSteadyRatio(last.map((window) => window.medianNs))
  );
}

function withinSteadyRatio(values: readonly number[]): boolean {
  return Math.max(...values) <= Math.min(...values) * STEADY_RATIO;
}

function windowOf(latencyNs: Float64Array, durationNs: number): WarmUpWindow {
  const sorted = sortedCopy(latencyNs);
  return {
    queriesPerSecond: (latencyNs.length * 1e9) / durationNs,
    medianNs: sorted[Math.floor(sorted.length / 2)] as number,
  };
}
