import { sortedCopy } from '../latency-statistics.ts';
import { isSteady, type WarmUpWindow } from '../steady-state.ts';

/** The runs of a model from its very first one on, in columns. */
export interface FirstRuns {
  readonly samples: readonly number[];
  /** Of the call of the model alone. */
  readonly latencyNs: readonly number[];
  /** Since the first run began. */
  readonly doneNs: readonly number[];
  /** False where the speed never came to rest. */
  readonly steady: boolean;
  /** The first run of the three windows that agreed; of the last three where none did. */
  readonly steadyFrom: number;
}

export interface FirstRunsSpec {
  /** One sample of every distinct shape; these run first. */
  readonly shapeSamples: readonly number[];
  /** All samples take turns after that. */
  readonly sampleCount: number;
  readonly windowDurationNs: number;
  /** When to give up; three windows are always run. */
  readonly maxDurationNs: number;
}

const STEADY_WINDOWS = 3;

/** Runs a model from cold, one run after another, until three windows agree as in a warm-up, or the time is up. */
export function runUntilSteady(
  run: (sample: number) => void,
  nowNs: () => bigint,
  { shapeSamples, sampleCount, windowDurationNs, maxDurationNs }: FirstRunsSpec,
): FirstRuns {
  const samples: number[] = [];
  const latencyNs: number[] = [];
  const doneNs: number[] = [];
  const beganNs = nowNs();
  const runOne = (sample: number) => {
    const startNs = nowNs();
    run(sample);
    const endNs = nowNs();
    samples.push(sample);
    latencyNs.push(Number(endNs - startNs));
    doneNs.push(Number(endNs - beganNs));
  };
  for (const sample of shapeSamples) runOne(sample);
  const windows: WarmUpWindow[] = [];
  const firstOfWindow: number[] = [];
  while (!isSteady(windows) && (windows.length < STEADY_WINDOWS || (doneNs.at(-1) ?? 0) < maxDurationNs)) {
    const first = samples.length;
    const sinceNs = doneNs.at(-1) ?? 0;
    do runOne((samples.length - shapeSamples.length) % sampleCount);
    while ((doneNs.at(-1) as number) - sinceNs < windowDurationNs);
    firstOfWindow.push(first);
    const sorted = sortedCopy(Float64Array.from(latencyNs.slice(first)));
    windows.push({
      queriesPerSecond: (sorted.length * 1e9) / ((doneNs.at(-1) as number) - sinceNs),
      medianNs: sorted[Math.floor(sorted.length / 2)] as number,
    });
  }
  return {
    samples,
    latencyNs,
    doneNs,
    steady: isSteady(windows),
    steadyFrom: firstOfWindow.at(-STEADY_WINDOWS) as number,
  };
}
