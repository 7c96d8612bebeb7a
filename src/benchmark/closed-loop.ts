import type { RoundContext, RoundLimits } from './round.ts';

export interface ClosedLoopTiming {
  readonly startNs: bigint;
  readonly durationNs: number;
  readonly latencyNs: Float64Array;
}

const INITIAL_CAPACITY = 4096;

/**
 * Issues one query after another, the next on completion of the last, cycling through `order`, until both minima of
 * `limits` or either maximum. Runs at least one query. Nothing but the call and one reading of the clock is inside a
 * latency: no progress, no statistics, no IO.
 */
export async function runClosedLoop(
  { sut, nowNs }: RoundContext,
  order: Uint32Array,
  limits: RoundLimits,
): Promise<ClosedLoopTiming> {
  const { minQueries, minDurationNs, maxDurationNs, maxQueries = Number.POSITIVE_INFINITY } = limits;
  let latencyNs = new Float64Array(INITIAL_CAPACITY);
  let queries = 0;
  let position = 0;
  let elapsedNs = 0;
  const startNs = nowNs();
  do {
    const sample = order[position] as number;
    const issuedNs = nowNs();
    await sut.run(sample);
    const doneNs = nowNs();
    if (queries === latencyNs.length) latencyNs = grown(latencyNs);
    latencyNs[queries] = Number(doneNs - issuedNs);
    queries += 1;
    position = position + 1 === order.length ? 0 : position + 1;
    elapsedNs = Number(doneNs - startNs);
  } while (
    (queries < minQueries || elapsedNs < minDurationNs) &&
    queries < maxQueries &&
    elapsedNs < maxDurationNs
  );
  return { startNs, durationNs: elapsedNs, latencyNs: latencyNs.slice(0, queries) };
}

function grown(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}
