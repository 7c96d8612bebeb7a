import type { Problem } from '../core/problem.ts';
import { ok, type Result } from '../core/result.ts';
import { sortedCopy } from './latency-statistics.ts';
import type { LoadPlan } from './load/load-plan.ts';
import { type RunRecords, toRecords } from './load/run-records.ts';
import type { LoadGenerator } from './load-generator.ts';
import { planRound } from './round.ts';

/** The rule of Triton's perf_analyzer: the last three windows lie within 10 % of one another. */
const STEADY_WINDOWS = 3;
const STEADY_RATIO = 1.1;

export interface WarmUpSpec {
  /** Length of one window. It always holds at least one run. */
  readonly windowDurationNs: number;
  /** When to give up. Three windows are always run, however slow the model. */
  readonly maxDurationNs: number;
  readonly seed: number;
}

export interface WarmUpResult {
  readonly queries: number;
  readonly durationNs: number;
  /** False when the windows never came to agree; the measurement is then reported as unstable. */
  readonly steady: boolean;
  /** Of the last window: what all lanes together can do. */
  readonly queriesPerSecond: number;
  /** The very first run of each distinct input shape, which a runtime tunes itself for. */
  readonly firstRunNs: readonly number[];
}

/** The throughput and the median latency of a window must both be steady. */
export interface WarmUpWindow {
  readonly queriesPerSecond: number;
  readonly medianNs: number;
}

/**
 * Runs the system unmeasured, every distinct shape on every lane first, until its speed is steady or the time is up.
 * @param onAlive told as runs complete
 */
export async function warmUpUntilSteady(
  generator: LoadGenerator,
  spec: WarmUpSpec,
  nowNs: () => bigint,
  onAlive: () => void,
): Promise<Result<WarmUpResult, Problem>> {
  const startNs = nowNs();
  const elapsedNs = () => Number(nowNs() - startNs);
  const run = (plan: LoadPlan, onEveryLane = false) => runToRecords(generator, plan, onAlive, onEveryLane);
  const first = await run(shapesPlan(generator.shapeSamples), true);
  if (!first.ok) return first;
  let queries = first.value.run.length;
  const windows: WarmUpWindow[] = [];
  while (!isSteady(windows) && (windows.length < STEADY_WINDOWS || elapsedNs() < spec.maxDurationNs)) {
    const window = await run(windowPlan(generator, spec));
    if (!window.ok) return window;
    queries += window.value.run.length;
    windows.push(windowOf(window.value));
  }
  return ok({
    queries,
    durationNs: elapsedNs(),
    steady: isSteady(windows),
    queriesPerSecond: windows.at(-1)?.queriesPerSecond ?? 0,
    firstRunNs: firstRuns(first.value, generator.shapeSamples.length),
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

async function runToRecords(
  generator: LoadGenerator,
  plan: LoadPlan,
  onAlive: () => void,
  onEveryLane: boolean,
): Promise<Result<RunRecords, Problem>> {
  const chunks: Float64Array[] = [];
  const take = (chunk: Float64Array) => {
    chunks.push(chunk);
    if (chunk.length > 0) onAlive();
  };
  const done = await generator.run(plan, take, { onEveryLane });
  return done.ok ? ok(toRecords(chunks)) : done;
}

/** Every shape once. */
function shapesPlan(shapeSamples: readonly number[]): LoadPlan {
  const limits = {
    minRuns: shapeSamples.length,
    maxRuns: shapeSamples.length,
    minDurationNs: 0,
    maxDurationNs: Number.POSITIVE_INFINITY,
  };
  return { pacing: { kind: 'closed' }, limits, order: Uint32Array.from(shapeSamples) };
}

function windowPlan(generator: LoadGenerator, { seed, windowDurationNs }: WarmUpSpec): LoadPlan {
  const limits = {
    minQueries: generator.laneCount,
    minDurationNs: windowDurationNs,
    maxDurationNs: Number.POSITIVE_INFINITY,
  };
  return planRound({ seed, load: { kind: 'closed', limits } }, generator);
}

function windowOf({ startNs, doneNs }: RunRecords): WarmUpWindow {
  const sorted = sortedCopy(doneNs.map((done, run) => done - (startNs[run] as number)));
  const durationNs = doneNs.reduce((latest, done) => Math.max(latest, done), 0);
  return {
    queriesPerSecond: (doneNs.length * 1e9) / durationNs,
    medianNs: sorted[Math.floor(sorted.length / 2)] as number,
  };
}

/** The slowest lane's first run of each shape. */
function firstRuns({ run, startNs, doneNs }: RunRecords, shapes: number): number[] {
  const slowest = new Array<number>(shapes).fill(0);
  for (const [record, shape] of run.entries()) {
    const took = (doneNs[record] as number) - (startNs[record] as number);
    slowest[shape] = Math.max(slowest[shape] as number, took);
  }
  return slowest;
}
