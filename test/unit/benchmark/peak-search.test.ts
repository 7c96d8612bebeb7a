import { describe, expect, it } from 'vitest';
import {
  nextPeakTrial,
  type Peak,
  type PeakSearchSettings,
  type PeakTrial,
} from '../../../src/benchmark/peak-search.ts';
import { seededRandom } from '../../../src/benchmark/random.ts';

const SETTINGS: PeakSearchSettings = {
  startRate: 40,
  lowestRate: 1,
  highestRate: 10_000,
  resolution: 0.05,
  confirmations: 1,
  maxTrials: 60,
};

const outcome = (rate: number, passed: boolean): PeakTrial => ({ rate, passed });

function search(
  passes: (rate: number, trial: number) => boolean,
  given: Partial<PeakSearchSettings> = {},
): { peak: Peak; trials: PeakTrial[]; why: string[] } {
  const trials: PeakTrial[] = [];
  const why: string[] = [];
  for (;;) {
    const step = nextPeakTrial({ ...SETTINGS, ...given }, trials);
    if (step.kind === 'done') return { peak: step.peak, trials, why };
    trials.push({ rate: step.rate, passed: passes(step.rate, trials.length) });
    why.push(step.why);
  }
}

describe('nextPeakTrial', () => {
  it('doubles until a rate fails, bisects, and repeats both ends', () => {
    const { trials, why, peak } = search((rate) => rate <= 100, { resolution: 0.2 });
    expect(trials.map(({ rate }) => Math.round(rate))).toEqual([40, 80, 160, 113, 95, 95, 113]);
    expect(why).toEqual(['widen', 'widen', 'widen', 'bisect', 'bisect', 'repeat', 'repeat']);
    expect(peak).toMatchObject({ ended: 'found', confirmed: true, isNoisy: false, trials: 7 });
    expect(peak.rate).toBeCloseTo(95.1, 1);
    expect(peak.failsAt).toBeCloseTo(113.1, 1);
  });

  it('halves until a rate passes where the first one fails', () => {
    const { trials, peak } = search((rate) => rate <= 7);
    expect(trials.slice(0, 4).map(({ rate }) => rate)).toEqual([40, 20, 10, 5]);
    expect(peak.ended).toBe('found');
  });

  it.each([1.3, 12, 39.9, 40, 41, 777, 9_999])('comes within its resolution of a peak at %d', (peakRate) => {
    const { peak } = search((rate) => rate <= peakRate);
    expect(peak.rate).toBeLessThanOrEqual(peakRate);
    expect((peak.rate as number) * 1.05).toBeGreaterThanOrEqual(peakRate);
    expect(peak).toMatchObject({ ended: 'found', confirmed: true });
  });

  it('finds nothing where even the lowest rate fails, which it repeats', () => {
    const { peak, trials } = search(() => false, { lowestRate: 15 });
    expect(trials.map(({ rate }) => rate)).toEqual([40, 20, 15, 15]);
    expect(peak).toEqual({
      rate: null,
      ended: 'below-lowest',
      confirmed: false,
      failsAt: 15,
      isNoisy: false,
      trials: 4,
    });
  });

  it('ends at the highest rate where that passes, which it repeats', () => {
    const { peak, trials } = search(() => true, { highestRate: 100 });
    expect(trials.map(({ rate }) => rate)).toEqual([40, 80, 100, 100]);
    expect(peak).toMatchObject({ rate: 100, ended: 'at-highest', confirmed: true, failsAt: null });
  });

  it('stops when the trials are used up, with the bounds that it has', () => {
    const { peak, trials } = search((rate) => rate <= 100, { maxTrials: 4 });
    expect(trials).toHaveLength(4);
    expect(peak).toMatchObject({ rate: 80, ended: 'too-many-trials', confirmed: false, trials: 4 });
    expect(search(() => false, { maxTrials: 1 }).peak).toMatchObject({ rate: null, failsAt: 40 });
  });

  it('gives up a rate that passed by chance when the repetition fails', () => {
    // 113 passes once although 100 is the peak.
    let passedOnce = false;
    const { peak } = search(
      (rate) => {
        if (rate > 113 && rate < 114 && !passedOnce) {
          passedOnce = true;
          return true;
        }
        return rate <= 100;
      },
      { resolution: 0.2 },
    );
    expect(passedOnce).toBe(true);
    expect(peak).toMatchObject({ ended: 'found', confirmed: true, isNoisy: true });
    expect(peak.rate).toBeLessThanOrEqual(100);
  });

  it('finds out a failure by chance far below the peak', () => {
    const { peak } = search((rate, trial) => trial !== 0 && rate <= 100);
    expect(peak).toMatchObject({ ended: 'found', confirmed: true, isNoisy: true });
    expect(peak.rate).toBeGreaterThan(95);
  });

  it('without confirmations believes every outcome', () => {
    const { peak, why } = search((rate, trial) => trial !== 0 && rate <= 100, { confirmations: 0 });
    expect(why).not.toContain('repeat');
    expect(peak.rate).toBeLessThan(40);
  });

  it('comes close to a peak under noise, and closer with confirmations', () => {
    const closeShare = (confirmations: number) => {
      const random = seededRandom(1);
      const close = Array.from({ length: 500 }, () =>
        // One trial in ten fails by chance, and around 100 the outcome is open.
        search((rate) => random() > 0.1 && random() < 1 / (1 + Math.exp((rate - 100) / 3)), {
          confirmations,
        }),
      ).filter(({ peak }) => peak.rate !== null && peak.rate > 85 && peak.rate < 110);
      return close.length / 500;
    };
    expect(closeShare(1)).toBeGreaterThan(0.95);
    expect(closeShare(0)).toBeLessThan(0.85);
  });

  it('goes by the lowest rate that fails, whatever passed above it', () => {
    const trials = [outcome(10, true), outcome(20, false), outcome(30, true)];
    expect(nextPeakTrial(SETTINGS, trials)).toEqual({ kind: 'try', rate: Math.sqrt(200), why: 'bisect' });
  });

  it('tries a rate again that passed as often as it failed, unless a higher one passes', () => {
    const even = [outcome(14, true), outcome(14, false)];
    const trials = [...even, outcome(10, true), outcome(20, false)];
    expect(nextPeakTrial(SETTINGS, trials)).toEqual({ kind: 'try', rate: 14, why: 'repeat' });
    expect(nextPeakTrial(SETTINGS, [...trials, outcome(16, true)])).toMatchObject({ why: 'bisect' });
  });

  it('does not depend on the order of the outcomes', () => {
    const { trials } = search((rate) => rate <= 100);
    for (let count = 0; count <= trials.length; count++) {
      const made = trials.slice(0, count);
      expect(nextPeakTrial(SETTINGS, made.toReversed())).toEqual(nextPeakTrial(SETTINGS, made));
    }
  });

  it.each([
    ['rates of a search', { lowestRate: 0 }],
    ['rates of a search', { lowestRate: 50 }],
    ['rates of a search', { highestRate: 30 }],
    ['rates of a search', { highestRate: Number.POSITIVE_INFINITY }],
    ['rates of a search', { startRate: Number.NaN }],
    ['the resolution', { resolution: 0 }],
    ['at least one trial', { maxTrials: 0 }],
  ])('refuses settings: %s', (words, given) => {
    expect(() => nextPeakTrial({ ...SETTINGS, ...given }, [])).toThrow(words);
  });
});
