import { describe, expect, it } from 'vitest';
import { findPeaks } from '../../../src/benchmark/find-peaks.ts';
import { comparePeaks, type PeakResult } from '../../../src/benchmark/peak-result.ts';
import {
  type GivenPeakSettings,
  type PeakSettings,
  peakSettings,
} from '../../../src/benchmark/peak-settings.ts';
import { seededRandom } from '../../../src/benchmark/random.ts';
import type { NamedSut } from '../../../src/benchmark/sut-handle.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { problem } from '../../../src/core/problem.ts';
import { err } from '../../../src/core/result.ts';
import {
  md1ResponsePercentile,
  mm1ResponsePercentile,
  type PoissonQueue,
} from '../../support/queue-theory.ts';
import { unwrap } from '../../support/unwrap.ts';
import { USAGE, virtualSut } from './fakes.ts';

const SERVICE_NS = 1e6;
const controls = { clock: systemClock };

function settingsOf(given: Partial<GivenPeakSettings> = {}): PeakSettings {
  return unwrap(peakSettings({ latencyBoundSeconds: 0.005, trialSeconds: 8, ...given }));
}

async function peakOf(sut: NamedSut, settings = settingsOf()): Promise<PeakResult> {
  const [result] = await findPeaks([sut], settings, controls);
  return result as PeakResult;
}

/** The rate at which theory has the 99th percentile at the bound, by bisection. */
function theoreticalPeak(
  percentile: (queue: PoissonQueue, p: number) => number,
  boundSeconds: number,
): number {
  const serviceTime = SERVICE_NS / 1e9;
  let below = 1;
  let above = 999;
  for (let step = 0; step < 40; step++) {
    const middle = (below + above) / 2;
    if (percentile({ arrivalRate: middle, serviceTime }, 0.99) <= boundSeconds) below = middle;
    else above = middle;
  }
  return below;
}

describe('findPeaks', { timeout: 60_000 }, () => {
  it.each([0.003, 0.005, 0.01])('finds the peak of an M/D/1 queue with a bound of %f s', async (bound) => {
    const settings = settingsOf({ latencyBoundSeconds: bound });
    const { peak, valid } = await peakOf(
      virtualSut('fp32', () => SERVICE_NS),
      settings,
    );
    const theory = theoreticalPeak(md1ResponsePercentile, bound);
    // The rule asks for proof, so the peak is a little below; 5 % is the resolution.
    expect(peak.ratePerSecond).toBeGreaterThan(theory * 0.85);
    expect(peak.ratePerSecond).toBeLessThan(theory * 1.04);
    expect(peak).toMatchObject({ limitedBy: 'bound', confirmed: true });
    expect((peak.failsAtPerSecond as number) / (peak.ratePerSecond as number)).toBeLessThanOrEqual(1.05);
    expect(valid).toBe(true);
  });

  it('finds the peak of an M/M/1 queue', async () => {
    const random = seededRandom(3);
    const { peak } = await peakOf(
      virtualSut('fp32', () => -Math.log(1 - random()) * SERVICE_NS),
      settingsOf({ latencyBoundSeconds: 0.02 }),
    );
    const theory = theoreticalPeak(mm1ResponsePercentile, 0.02);
    expect(peak.ratePerSecond).toBeGreaterThan(theory * 0.85);
    expect(peak.ratePerSecond).toBeLessThan(theory * 1.06);
  });

  it('loads and warms up once, begins at half the speed of the closed loop, and reports every trial', async () => {
    const events: string[] = [];
    const { trials, closedLoopPerSecond } = await peakOf(virtualSut('fp32', () => SERVICE_NS, events));
    expect(closedLoopPerSecond).toBeCloseTo(1000, 0);
    expect(trials[0]).toMatchObject({
      why: 'widen',
      passed: true,
      outcome: 'met',
      p50Seconds: expect.any(Number),
    });
    expect(trials[0]?.rate).toBeCloseTo(500, 0);
    expect(trials.every(({ reason }) => /\d/.test(reason))).toBe(true);
    expect(events.filter((event) => event.startsWith('warm-up'))).toHaveLength(1);
    expect(events.at(-1)).toBe('finish fp32');
  });

  it('is limited by saturation where the bound is wide', async () => {
    const { peak, trials } = await peakOf(
      virtualSut('fp32', () => SERVICE_NS),
      settingsOf({ latencyBoundSeconds: 20 }),
    );
    expect(peak.limitedBy).toBe('saturation');
    expect(peak.ratePerSecond).toBeGreaterThan(900);
    expect(peak.ratePerSecond).toBeLessThan(1030);
    expect(trials.some(({ outcome }) => outcome === 'saturated')).toBe(true);
  });

  it('does not wait for a system to work off what it cannot, and fails the rate', async () => {
    // Within the warm-up it is as fast as it says; then it takes ten times as long.
    let runs = 0;
    const { trials } = await peakOf(
      virtualSut('tired', () => (runs++ < 800 ? SERVICE_NS : 10 * SERVICE_NS)),
      settingsOf({ latencyBoundSeconds: 0.05, trialSeconds: 10, maxTrials: 1 }),
    );
    expect(trials).toMatchObject([{ outcome: 'unfinished', passed: false }]);
    expect(trials[0]?.durationSeconds).toBeLessThan(13);
  });

  it('takes longer where the rule could not decide otherwise, and says so', async () => {
    const { trials, peak } = await peakOf(
      virtualSut('slow', () => 100e6),
      settingsOf({ latencyBoundSeconds: 0.5, trialSeconds: 10 }),
    );
    expect(trials.every(({ extended, queries }) => extended && queries >= 662)).toBe(true);
    expect(trials[0]?.durationSeconds).toBeGreaterThan(100);
    expect(peak.ratePerSecond).toBeGreaterThan(5);
  });

  it('ends at the rate that is enough', async () => {
    const { peak } = await peakOf(
      virtualSut('fp32', () => SERVICE_NS),
      settingsOf({ enoughPerSecond: 200 }),
    );
    expect(peak).toMatchObject({ ratePerSecond: 200, failsAtPerSecond: null, limitedBy: 'cap' });
  });

  it('ends at once where the work alone takes longer than the bound', async () => {
    const { peak, trials } = await peakOf(virtualSut('slow', () => 6 * SERVICE_NS));
    expect(trials).toHaveLength(1);
    expect(peak).toMatchObject({ ratePerSecond: null, limitedBy: 'service-time' });
    expect(peak.reason).toContain('longer than 5.00 ms');
  });

  it('ends without a peak where a share of the queries is too slow at any rate', async () => {
    let run = 0;
    const { peak } = await peakOf(virtualSut('uneven', () => (run++ % 40 === 0 ? 8 : 1) * SERVICE_NS));
    expect(peak).toMatchObject({ ratePerSecond: null, limitedBy: 'bound' });
    expect(peak.reason).toMatch(/^Even at .* it does not keep its 99th percentile within 5.00 ms: /);
  });

  it('says that the trials were used up', async () => {
    const { peak, trials } = await peakOf(
      virtualSut('fp32', () => SERVICE_NS),
      settingsOf({ maxTrials: 3 }),
    );
    expect(trials).toHaveLength(3);
    expect(peak).toMatchObject({ limitedBy: 'trials', confirmed: false });
  });

  it('lets searches take turns and holds their peaks against each other', async () => {
    const events: string[] = [];
    const results = await findPeaks(
      [virtualSut('fp32', () => SERVICE_NS, events), virtualSut('int8', () => SERVICE_NS / 2, events)],
      settingsOf(),
      controls,
    );
    expect(events.slice(2, 6).map((event) => event.split(' ').at(-1))).toEqual([
      'fp32',
      'int8',
      'fp32',
      'int8',
    ]);
    const [ratio] = comparePeaks(results);
    // With half the work a system takes more than twice as much, as the bound is twice as wide for it.
    const theory =
      (2 * theoreticalPeak(md1ResponsePercentile, 0.01)) / theoreticalPeak(md1ResponsePercentile, 0.005);
    expect(ratio?.ratio).toBeGreaterThan(theory * 0.9);
    expect(ratio?.ratio).toBeLessThan(theory * 1.1);
    expect(ratio?.lower).toBeLessThan(ratio?.ratio as number);
    expect(ratio?.upper).toBeGreaterThan(ratio?.ratio as number);
  });

  it('goes on with the others where one fails, and keeps what it had shown', async () => {
    const dying = virtualSut('dying', () => SERVICE_NS);
    let rounds = 0;
    const round: typeof dying.handle.round = (spec, onRuns) =>
      ++rounds <= 2
        ? dying.handle.round(spec, onRuns)
        : Promise.resolve(err(problem('worker-crashed', 'it died')));
    const results = await findPeaks(
      [{ ...dying, handle: { ...dying.handle, round } }, virtualSut('sound', () => SERVICE_NS)],
      settingsOf(),
      controls,
    );
    expect(results).toMatchObject([
      {
        peak: { ratePerSecond: expect.closeTo(500, 0), limitedBy: 'failure', reason: 'it died' },
        valid: false,
        failure: { kind: 'worker-crashed' },
      },
      { peak: { limitedBy: 'bound' }, valid: true, failure: null },
    ]);
  });

  it('has no trials of a system that cannot be loaded', async () => {
    const absent = virtualSut('absent', () => SERVICE_NS);
    const load = () => Promise.resolve(err(problem('model-not-found', 'no such model')));
    const result = await peakOf({ ...absent, handle: { ...absent.handle, load } });
    expect(result).toMatchObject({
      trials: [],
      peak: { ratePerSecond: null, limitedBy: 'failure' },
      failure: { kind: 'model-not-found' },
    });
    expect(comparePeaks([result, result])).toEqual([]);
  });

  it('keeps the trials that are whole when it is cancelled', async () => {
    const cancel = new AbortController();
    const sut = virtualSut('fp32', () => SERVICE_NS);
    let rounds = 0;
    const round: typeof sut.handle.round = (spec, onRuns) => {
      if (++rounds === 3) cancel.abort();
      return sut.handle.round(spec, onRuns);
    };
    const [result] = await findPeaks([{ ...sut, handle: { ...sut.handle, round } }], settingsOf(), {
      ...controls,
      signal: cancel.signal,
    });
    expect(result?.trials).toHaveLength(2);
    expect(result?.peak).toMatchObject({ ratePerSecond: expect.closeTo(500, 0), limitedBy: 'cancelled' });
  });

  it('is not valid where a model computes something else under load', async () => {
    const sut = virtualSut('fp32', () => SERVICE_NS);
    const mismatches = [{ sample: 3, output: 'y', reason: '0.1 instead of 0.2' }];
    const outputCheck = { ...USAGE.outputCheck, compared: 5, mismatches };
    const finish = () => Promise.resolve({ ok: true as const, value: { ...USAGE, outputCheck } });
    const result = await peakOf({ ...sut, handle: { ...sut.handle, finish } });
    expect(result.valid).toBe(false);
    expect(result.invalidReasons[0]).toMatch(/^1 of 5 outputs/);
  });
});

describe('peakSettings', () => {
  it.each([
    ['a bound of nothing', { latencyBoundSeconds: 0 }, 'latencyBoundSeconds'],
    ['a percentile that takes too many queries', { latencyBoundPermille: 1000 }, 'latencyBoundPermille'],
    ['no resolution', { resolution: 0 }, 'resolution'],
    ['a resolution of everything', { resolution: 1 }, 'resolution'],
    ['half a trial', { maxTrials: 0.5 }, 'maxTrials'],
    ['no lanes', { concurrency: 0 }, 'concurrency'],
    ['a rate of nothing', { enoughPerSecond: 0 }, 'ratePerSecond'],
    ['a trial that takes no time', { trialSeconds: 0 }, 'minDurationSeconds'],
  ])('refuses %s', (_what, given, field) => {
    const settings = peakSettings({ latencyBoundSeconds: 0.01, ...given });
    expect(settings).toMatchObject({
      ok: false,
      error: { kind: 'invalid-bench-settings', place: { field } },
    });
  });
});
