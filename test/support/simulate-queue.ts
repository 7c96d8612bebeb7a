import type { Random } from '../../src/benchmark/random.ts';
import type { QueryTimes } from '../../src/benchmark/statistics/query-times.ts';

interface QueueOptions {
  readonly queries: number;
  /** Time from one arrival to the next. */
  readonly gapNs: () => number;
  readonly serviceNs: () => number;
  /** Servers that take queries in order; 1 where it is absent. */
  readonly lanes?: number;
  /** How much later than it could each query is started; 0 where it is absent. */
  readonly lagNs?: () => number;
}

/** First come, first served, from an empty system: Lindley's recursion, with a lane for each server. */
export function simulateQueue({
  queries,
  gapNs,
  serviceNs,
  lanes = 1,
  lagNs = () => 0,
}: QueueOptions): QueryTimes {
  const times = {
    dueNs: new Float64Array(queries),
    readyNs: new Float64Array(queries),
    startNs: new Float64Array(queries),
    doneNs: new Float64Array(queries),
  };
  const freeNs = new Float64Array(lanes);
  let dueNs = 0;
  for (let i = 0; i < queries; i++) {
    dueNs += gapNs();
    const lane = freeNs.indexOf(Math.min(...freeNs));
    const readyNs = freeNs[lane] as number;
    const startNs = Math.max(dueNs, readyNs) + lagNs();
    const doneNs = startNs + serviceNs();
    freeNs[lane] = doneNs;
    times.dueNs[i] = dueNs;
    times.readyNs[i] = readyNs;
    times.startNs[i] = startNs;
    times.doneNs[i] = doneNs;
  }
  return times;
}

/** Random numbers of an exponential distribution with the given mean. */
export function exponential(random: Random, mean: number): () => number {
  return () => -mean * Math.log(1 - random());
}

/** An M/M/1 queue whose services take 1 ms on average, so that `rho` is also its arrivals per millisecond. */
export function simulateMm1(random: Random, rho: number, queries: number): QueryTimes {
  return simulateQueue({
    queries,
    gapNs: exponential(random, 1e6 / rho),
    serviceNs: exponential(random, 1e6),
  });
}

/** Response times, from due to done. */
export function responseNs({ dueNs, doneNs }: QueryTimes): Float64Array {
  return doneNs.map((done, i) => done - (dueNs[i] as number));
}

/** A stationary first-order autoregression with standard normal values; `phi` is their correlation with the next. */
export function autoregressive(random: Random, phi: number, length: number): Float64Array {
  const innovation = Math.sqrt(1 - phi * phi);
  let value = standardNormal(random);
  return Float64Array.from({ length }, () => {
    value = phi * value + innovation * standardNormal(random);
    return value;
  });
}

/** Box and Muller's transformation. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
