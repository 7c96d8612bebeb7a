import { describe, expect, it } from 'vitest';
import { comparePeaks, type PeakResult } from '../../../src/benchmark/peak-result.ts';
import type { PeakTrialReport } from '../../../src/benchmark/peak-trial.ts';
import { renderPeaks } from '../../../src/cli/peak-report.ts';

const trial = (rate: number, passed: boolean, more: Partial<PeakTrialReport> = {}): PeakTrialReport => ({
  rate,
  offeredPerSecond: rate,
  achievedPerSecond: rate,
  why: 'widen',
  passed,
  outcome: passed ? 'met' : 'missed',
  reason: passed ? '1 of 900 queries took longer' : '90 of 900 queries took longer',
  queries: 900,
  durationSeconds: 10,
  extended: false,
  p50Seconds: 0.001,
  p99Seconds: 0.004,
  judgedSeconds: 0.004,
  invalidReasons: [],
  ...more,
});

function resultOf(variant: string, rate: number | null, more: Partial<PeakResult> = {}): PeakResult {
  return {
    model: 'digits',
    variant,
    device: 'cpu',
    provider: 'CPUExecutionProvider',
    threads: 1,
    concurrency: 1,
    latencyBoundSeconds: 0.005,
    latencyBoundPermille: 990,
    peak: {
      ratePerSecond: rate,
      failsAtPerSecond: (rate ?? 0) * 1.05 || 10,
      confirmed: true,
      isNoisy: false,
      limitedBy: 'bound',
      reason: 'At 105.0/s 90 of 900 queries took longer',
    },
    closedLoopPerSecond: 200,
    trials: [trial(100, true), trial(105, false)],
    valid: true,
    invalidReasons: [],
    peakRssBytes: 1,
    failure: null,
    ...more,
  };
}

const render = (...results: PeakResult[]) => renderPeaks({ results, ratios: comparePeaks(results) });

describe('renderPeaks', () => {
  it('says what the peak is, what limits it, and what each trial was', () => {
    const lines = render(resultOf('fp32', 100)).split('\n');
    expect(lines[1]).toMatch(/^fp32 +100\.0 +105\.0 +bound +50 % +2$/);
    expect(lines).toContain('fp32: At 105.0/s 90 of 900 queries took longer');
    expect(lines.at(-1)).toMatch(/^ +2 +105\.0 +900 +10\.0 s +1\.00 ms +4\.00 ms +missed +widen: 90 of 900/);
  });

  it('gives the ratio of peaks with what the resolution leaves open', () => {
    expect(render(resultOf('fp32', 100), resultOf('int8', 250))).toContain(
      'int8 takes 2.50x [2.38, 2.63] the rate of fp32',
    );
  });

  it('has no ratio to a model without a peak', () => {
    expect(render(resultOf('fp32', null), resultOf('int8', 250))).not.toContain('takes');
  });

  it('shows the percentile that was judged where it is another', () => {
    expect(render(resultOf('fp32', 100, { latencyBoundPermille: 999 }))).toMatch(/p99 +p99\.9 +outcome/);
  });

  it('says which trials were extended, what is noisy and what is not valid', () => {
    const trials = [trial(3, true, { extended: true, durationSeconds: 220 })];
    const noisy = { ...resultOf('fp32', 3).peak, isNoisy: true };
    const invalidReasons = ['the host was busy'];
    const text = render(resultOf('fp32', 3, { trials, peak: noisy, valid: false, invalidReasons }));
    expect(text).toContain('1 of 1 trials were extended, the longest to 3 min 40 s');
    expect(text).toContain('both passed and failed');
    expect(text).toContain('invalid: fp32: the host was busy');
  });
});
