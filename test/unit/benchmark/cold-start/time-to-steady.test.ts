import { describe, expect, it } from 'vitest';
import { timeToSteady } from '../../../../src/benchmark/cold-start/time-to-steady.ts';

const MS = 1_000_000;

/** Runs back to back on one sample, or on the samples given. */
function runsOf(latencies: readonly number[], steadyFrom: number, samples = latencies.map(() => 0)) {
  let doneMs = 0;
  const doneNs = latencies.map((latency) => {
    doneMs += latency;
    return doneMs * MS;
  });
  return { samples, latencyNs: latencies.map((latency) => latency * MS), doneNs, steady: true, steadyFrom };
}

const oneShape = () => 0;
const steady = (count: number) => new Array<number>(count).fill(10);

describe('timeToSteady', () => {
  it('counts the slow runs at the beginning, and their time', () => {
    const falling = [200, 40, 20, 15, 12, 12, 12];
    expect(timeToSteady(runsOf([...falling, ...steady(30)], 10), oneShape)).toEqual({
      runs: 7,
      seconds: expect.closeTo(0.311, 9),
      steadyMedianSeconds: 0.01,
    });
  });

  it('is at once where the first runs are no slower', () =>
    expect(timeToSteady(runsOf(steady(20), 1), oneShape)).toMatchObject({ runs: 0, seconds: 0 }));

  it('counts a single slow run, if it is the first', () =>
    expect(timeToSteady(runsOf([20, ...steady(30)], 1), oneShape)).toMatchObject({ runs: 1, seconds: 0.02 }));

  it('does not count a run that something interrupted later, nor runs that are 10 % slower', () => {
    expect(timeToSteady(runsOf([10, 300, ...steady(30)], 5), oneShape).runs).toBe(0);
    expect(timeToSteady(runsOf([...new Array(9).fill(11), ...steady(30)], 9), oneShape).runs).toBe(0);
    expect(timeToSteady(runsOf([...new Array(9).fill(11.2), ...steady(30)], 9), oneShape).runs).toBe(9);
  });

  it('holds every run against those of its own shape', () => {
    // Large samples first: by the median of all, they would pass for a slow beginning.
    const latencies = [...new Array(10).fill(50), ...steady(40), 50, 50, 50];
    const samples = latencies.map((latency) => (latency === 50 ? 1 : 0));
    const runs = runsOf(latencies, 20, samples);
    expect(timeToSteady(runs, (sample) => sample).runs).toBe(0);
    expect(timeToSteady(runs, oneShape).runs).toBeGreaterThan(4);
  });

  it('ends where the steady part begins, however that scatters', () => {
    const latencies = [90, 90, 90, ...new Array(9).fill(15), ...steady(20)];
    expect(timeToSteady(runsOf(latencies, 3), oneShape)).toMatchObject({ runs: 3, seconds: 0.27 });
  });
});
