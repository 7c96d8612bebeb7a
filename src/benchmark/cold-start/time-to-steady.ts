import type { FirstRuns } from './first-runs.ts';

/** What it took a model to come to its speed. */
export interface TimeToSteady {
  /** Runs before the first that was at steady speed. */
  readonly runs: number;
  /** Until the last of them was done. */
  readonly seconds: number;
  /** Median latency at steady speed, over all samples. */
  readonly steadyMedianSeconds: number;
}

/** Single runs that something interrupts later on must not count. */
const RUNS_TO_AGREE = 9;
const STEADY_RATIO = 1.1;

/**
 * When a model was at steady speed: from the first run on that takes at most 1.1 times the steady median and begins nine whose
 * median does. Each run is held against the steady median of its own shape, so that a mix of sizes is no slowness.
 * @param shapeOf which of the distinct shapes a sample has
 */
export function timeToSteady(
  { samples, latencyNs, doneNs, steadyFrom }: FirstRuns,
  shapeOf: (sample: number) => number,
): TimeToSteady {
  const steadyNs = median(latencyNs.slice(steadyFrom));
  const ofShape = new Map<number, number[]>();
  for (const [run, sample] of samples.entries()) {
    if (run < steadyFrom) continue;
    const shape = shapeOf(sample);
    const known = ofShape.get(shape);
    if (known === undefined) ofShape.set(shape, [latencyNs[run] as number]);
    else known.push(latencyNs[run] as number);
  }
  const medianOfShape = new Map([...ofShape].map(([shape, latencies]) => [shape, median(latencies)]));
  const slowness = (run: number) =>
    (latencyNs[run] as number) / (medianOfShape.get(shapeOf(samples[run] as number)) ?? steadyNs);
  let runs = 0;
  const isAtSpeed = () => {
    if (slowness(runs) > STEADY_RATIO) return false;
    const count = Math.min(RUNS_TO_AGREE, samples.length - runs);
    return median(Array.from({ length: count }, (_, next) => slowness(runs + next))) <= STEADY_RATIO;
  };
  while (runs < steadyFrom && !isAtSpeed()) runs += 1;
  return {
    runs,
    seconds: runs === 0 ? 0 : (doneNs[runs - 1] as number) / 1e9,
    steadyMedianSeconds: steadyNs / 1e9,
  };
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length / 2)] as number;
}
