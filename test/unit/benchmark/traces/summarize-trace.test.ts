import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/benchmark/random.ts';
import { summarizeTrace } from '../../../../src/benchmark/traces/summarize-trace.ts';
import { traceOf } from './trace-file-of.ts';

const S = 1e9;
const summaryOf = (seconds: readonly number[]) =>
  summarizeTrace(traceOf(seconds.map((second) => second * S)));

describe('the summary of a trace', () => {
  it('of a constant rate has no variation', () => {
    expect(summaryOf([0, 0.5, 1, 1.5, 2])).toEqual({
      count: 5,
      durationSeconds: 2,
      meanRate: 2,
      peakRate: 2,
      gapCv: 0,
    });
  });

  it('finds the fullest second wherever it begins, without its end', () => {
    expect(summaryOf([0, 0.9, 1.1, 1.2, 1.89, 1.9, 3]).peakRate).toBe(4);
    expect(summaryOf([0, 1, 2]).peakRate).toBe(1);
    expect(summaryOf([0, 0, 0, 5]).peakRate).toBe(3);
  });

  it('has the variation of the gaps as a sample', () => {
    // Gaps of 1, 1 and 4 s: mean 2, squares of deviations 1 + 1 + 4 over 2.
    expect(summaryOf([0, 1, 2, 6]).gapCv).toBeCloseTo(Math.sqrt(3) / 2, 12);
  });

  it('of Poisson arrivals has a variation of about 1, and of bursts more', () => {
    const random = seededRandom(7);
    const gaps = (mean: (at: number) => number) => {
      let now = 0;
      return Array.from({ length: 20_000 }, (_, at) => {
        const before = now;
        now -= Math.log(1 - random()) * mean(at);
        return before;
      });
    };
    expect(summaryOf(gaps(() => 0.01)).gapCv).toBeCloseTo(1, 1);
    expect(summaryOf(gaps((at) => (at % 100 < 90 ? 0.001 : 0.1))).gapCv).toBeGreaterThan(2);
  });

  it('says nothing where there is nothing to say', () => {
    expect(summaryOf([0])).toEqual({
      count: 1,
      durationSeconds: 0,
      meanRate: null,
      peakRate: 1,
      gapCv: null,
    });
    expect(summaryOf([0, 0, 0])).toMatchObject({ meanRate: null, peakRate: 3, gapCv: null });
    expect(summaryOf([0, 2])).toMatchObject({ meanRate: 0.5, peakRate: 1, gapCv: null });
  });
});
