import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/benchmark/random.ts';
import type { RoundSpec } from '../../../src/benchmark/round.ts';
import { collectRound } from '../../../src/benchmark/round-result.ts';
import { runRound } from '../../../src/benchmark/run-round.ts';
import { percentileInterval } from '../../../src/benchmark/statistics/percentile-interval.ts';
import { md1ResponsePercentile, mm1ResponsePercentile } from '../../support/queue-theory.ts';
import { unwrap } from '../../support/unwrap.ts';
import { virtualSystem } from './fakes.ts';

const MEAN_NS = 1e6;
const QUERIES = 60_000;

async function responseTimes(utilization: number, serviceNs: () => number): Promise<Float64Array> {
  const { generator } = virtualSystem(serviceNs);
  const spec: RoundSpec = {
    index: 0,
    scenario: 'server',
    seed: 11,
    leadInDurationNs: 0,
    load: {
      kind: 'scheduled',
      arrivals: { kind: 'poisson', ratePerSecond: (utilization * 1e9) / MEAN_NS },
      length: { durationNs: 1, minQueries: QUERIES },
      maxDurationNs: 1e15,
    },
  };
  const chunks: Float64Array[] = [];
  const totals = unwrap(await runRound(generator, spec, {}, (chunk) => chunks.push(chunk)));
  return collectRound(spec, chunks, totals, { samplesPerRun: 1, askedNs: 0n, process: 0 }).latencyNs;
}

/** Whether theory lies in the interval of what was measured; at 99.9 %, as many of them are looked at. */
function expectWithin(latencyNs: Float64Array, permille: number, expectedSeconds: number): void {
  const interval = percentileInterval(latencyNs, permille, { confidence: 0.999 });
  const label = `p${permille / 10} of ${(interval?.estimateNs ?? 0) / 1e9} s`;
  expect(expectedSeconds * 1e9, label).toBeGreaterThan(interval?.lowerNs ?? 0);
  expect(expectedSeconds * 1e9, label).toBeLessThan(interval?.upperNs ?? Number.POSITIVE_INFINITY);
}

describe('latencies of a system with known service times', () => {
  it.each([0.3, 0.6, 0.8])('are those of an M/M/1 queue at a utilization of %f', async (utilization) => {
    const random = seededRandom(5);
    const latencyNs = await responseTimes(utilization, () => -Math.log(1 - random()) * MEAN_NS);
    const queue = { arrivalRate: (utilization * 1e9) / MEAN_NS, serviceTime: MEAN_NS / 1e9 };
    for (const permille of [500, 900, 990]) {
      expectWithin(latencyNs, permille, mm1ResponsePercentile(queue, permille / 1000));
    }
  });

  it.each([0.3, 0.6, 0.8])('are those of an M/D/1 queue at a utilization of %f', async (utilization) => {
    const latencyNs = await responseTimes(utilization, () => MEAN_NS);
    const queue = { arrivalRate: (utilization * 1e9) / MEAN_NS, serviceTime: MEAN_NS / 1e9 };
    for (const permille of [900, 990]) {
      expectWithin(latencyNs, permille, md1ResponsePercentile(queue, permille / 1000));
    }
  });
});
