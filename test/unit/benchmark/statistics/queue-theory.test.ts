import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import {
  md1ResponsePercentile,
  md1WaitProbability,
  mm1ResponsePercentile,
} from '../../../support/queue-theory.ts';
import { exponential, responseNs, simulateMm1, simulateQueue } from '../../../support/simulate-queue.ts';

const QUERIES = 300_000;
const WARM_UP = 5_000;

/** Percentiles of simulated responses in milliseconds, of a queue whose services take one on average. */
function simulatedPercentiles(times: Parameters<typeof responseNs>[0]): number[] {
  const sorted = responseNs(times).slice(WARM_UP).sort();
  return [0.5, 0.9, 0.99].map((p) => (sorted[Math.floor(p * sorted.length)] as number) / 1e6);
}

// What a load generator is held against must itself be held against something.
describe('the theory of queues that load generators are tested with', () => {
  it.each([0.5, 0.8])('agrees with a long simulation of M/M/1 at utilization %d', (rho) => {
    const simulated = simulatedPercentiles(simulateMm1(seededRandom(1), rho, QUERIES));
    for (const [i, p] of [0.5, 0.9, 0.99].entries()) {
      const exact = mm1ResponsePercentile({ arrivalRate: rho, serviceTime: 1 }, p);
      expect(Math.abs((simulated[i] as number) / exact - 1)).toBeLessThan(0.06);
    }
  });

  it.each([0.5, 0.8])('agrees with a long simulation of M/D/1 at utilization %d', (rho) => {
    const gapNs = exponential(seededRandom(2), 1e6 / rho);
    const simulated = simulatedPercentiles(simulateQueue({ queries: QUERIES, gapNs, serviceNs: () => 1e6 }));
    for (const [i, p] of [0.5, 0.9, 0.99].entries()) {
      const exact = md1ResponsePercentile({ arrivalRate: rho, serviceTime: 1 }, p);
      expect(Math.abs((simulated[i] as number) / exact - 1)).toBeLessThan(0.06);
    }
  });

  // P[W > x] by Erlang's alternating series with 400 decimal digits.
  it.each([
    [0.2, 0.5, 0.115863265539482],
    [0.5, 1.5, 0.10200316877963],
    [0.5, 5, 0.00123572973078169],
    [0.8, 3, 0.237900480254598],
    [0.8, 10.25, 0.0104667712106377],
    [0.8, 20, 0.000156843630701],
    [0.95, 10, 0.349535920717491],
    [0.95, 50, 0.00597528989973637],
    [0.95, 90.5, 0.0000970816138414],
  ])('has the M/D/1 wait of utilization %d beyond %d services to twelve decimals', (rho, x, exact) => {
    expect(1 - md1WaitProbability({ arrivalRate: rho, serviceTime: 1 }, x)).toBeCloseTo(exact, 12);
  });

  it('has the mean M/D/1 wait of Pollaczek and Khinchine, ρ D / 2(1 - ρ)', () => {
    const queue = { arrivalRate: 0.7, serviceTime: 1 };
    let mean = 0;
    // The midpoint rule over 40 services; a share of 1 - ρ does not wait, which leaves no mark in the integral.
    for (let x = 0.005; x < 40; x += 0.01) mean += 0.01 * (1 - md1WaitProbability(queue, x));
    expect(mean).toBeCloseTo(0.7 / (2 * 0.3), 3);
  });

  it('knows that a share 1 - ρ does not wait, and none before it comes', () => {
    const queue = { arrivalRate: 300, serviceTime: 0.002 };
    expect(md1WaitProbability(queue, 0)).toBeCloseTo(0.4, 12);
    expect(md1WaitProbability(queue, -0.001)).toBe(0);
    expect(md1ResponsePercentile(queue, 0.3)).toBeCloseTo(0.002, 12);
    expect(mm1ResponsePercentile(queue, 0.5)).toBeCloseTo(Math.log(2) / 200, 12);
  });

  it.each([0, 1, 1.2])('refuses a queue at utilization %d, which has no steady state', (arrivalRate) => {
    const queue = { arrivalRate, serviceTime: 1 };
    expect(() => mm1ResponsePercentile(queue, 0.5)).toThrow('has no steady state');
    expect(() => md1ResponsePercentile(queue, 0.5)).toThrow('has no steady state');
  });
});
