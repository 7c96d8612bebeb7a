import { describe, expect, it } from 'vitest';
import { percentileCurve, roundPercentiles } from '../../../src/benchmark/percentile-curve.ts';
import type { RoundResult } from '../../../src/benchmark/round-result.ts';

const upTo = (count: number) => Float64Array.from({ length: count }, (_, index) => (index + 1) * 1e6);
const roundOf = (index: number, latencyNs: Float64Array) => ({ index, latencyNs }) as RoundResult;

describe('percentileCurve', () => {
  it('goes from the fastest latency to the last percentile that one in n tells', () => {
    const curve = percentileCurve(upTo(1024));
    expect(curve[0]).toEqual({ percentile: 0, seconds: 0.001 });
    expect(curve.at(-1)).toEqual({ percentile: 100 * (1 - 1 / 1024), seconds: 1.024 });
    expect(curve).toHaveLength(41);
  });

  it('ascends in both directions, and has as many points between 50 and 75 as between 75 and 87.5', () => {
    const curve = percentileCurve(upTo(1000));
    for (const [index, point] of curve.entries()) {
      const before = curve[index - 1] ?? { percentile: -1, seconds: 0 };
      expect(point.percentile).toBeGreaterThan(before.percentile);
      expect(point.seconds).toBeGreaterThanOrEqual(before.seconds);
    }
    const within = (low: number, high: number) =>
      curve.filter(({ percentile }) => percentile >= low && percentile < high).length;
    expect([within(0, 50), within(50, 75), within(75, 87.5)]).toEqual([4, 4, 4]);
  });

  it('is empty where nothing was measured', () => {
    expect(percentileCurve(new Float64Array())).toEqual([]);
  });
});

describe('roundPercentiles', () => {
  it("takes MLPerf's percentiles of unsorted latencies, as far as a round was long enough", () => {
    const [round] = roundPercentiles([roundOf(3, upTo(100).reverse())]);
    expect(round).toEqual({
      round: 3,
      percentiles: [
        { percentile: 50, seconds: 0.051 },
        { percentile: 75, seconds: 0.076 },
        { percentile: 90, seconds: 0.091 },
        { percentile: 95, seconds: 0.096 },
        { percentile: 99, seconds: 0.1 },
      ],
    });
  });

  it('tells the 99.9th percentile from a thousand latencies on, although 99.9 is no binary fraction', () => {
    const last = (count: number) => roundPercentiles([roundOf(0, upTo(count))])[0]?.percentiles.at(-1);
    expect(last(999)).toEqual({ percentile: 99, seconds: 0.99 });
    expect(last(1000)).toEqual({ percentile: 99.9, seconds: 1 });
  });
});
