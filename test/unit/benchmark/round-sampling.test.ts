import { describe, expect, it } from 'vitest';
import { runBench } from '../../../src/benchmark/controller.ts';
import { joinSampling, samplingReasons } from '../../../src/benchmark/round-sampling.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { settingsOf, startedOnce, virtualSut } from './fakes.ts';

const settings = settingsOf({ rounds: 2, minDurationSeconds: 0.4, minQueries: 100, leadInSeconds: 0 });

describe('samplingReasons', () => {
  it.each([
    [0.1, 1],
    [1, 10],
    // At a hundred a second, a tenth of a second is what any busy host takes now and then.
    [0.01, 1],
  ])('takes, with a sample due every %f s, gaps of up to %f s', (intervalSeconds, limit) => {
    expect(samplingReasons({ intervalSeconds, longestGapSeconds: limit })).toEqual([]);
    expect(samplingReasons({ intervalSeconds, longestGapSeconds: limit * 1.01 })).toHaveLength(1);
  });

  it('says how long nobody looked', () => {
    expect(samplingReasons({ intervalSeconds: 0.1, longestGapSeconds: 2.5 })).toEqual([
      'The sampler stalled: nothing was read of the host for 2.50 s, with a sample due every 100 ms',
    ]);
  });

  it('has nothing against a round that nobody was to watch', () => {
    expect(samplingReasons(undefined)).toEqual([]);
  });
});

describe('joinSampling', () => {
  it('takes the worst of all rounds', () => {
    const rounds = [
      { sampling: { intervalSeconds: 0.1, longestGapSeconds: 0.3 } },
      { sampling: { intervalSeconds: 0.1, longestGapSeconds: 0.2 } },
    ];
    expect(joinSampling(rounds)).toEqual({ intervalSeconds: 0.1, longestGapSeconds: 0.3 });
  });

  it('is null unless every round was sampled', () => {
    expect(joinSampling([{ sampling: { intervalSeconds: 0.1, longestGapSeconds: 0.3 } }, {}])).toBeNull();
    expect(joinSampling([])).toBeNull();
  });
});

describe('runBench, sampled', () => {
  it('asks about every round, and records how the host was sampled', async () => {
    const asked: number[] = [];
    const run = await runBench([startedOnce(virtualSut('fp32', () => 1_000_000))], settings, {
      clock: systemClock,
      sampling: async (startNs, endNs) => {
        asked.push(Number(endNs - startNs) / 1e9);
        return { intervalSeconds: 0.1, longestGapSeconds: 0.2 };
      },
    });
    expect(asked).toEqual([expect.closeTo(0.2, 1), expect.closeTo(0.2, 1)]);
    expect(run.results[0]).toMatchObject({
      valid: true,
      sampling: { intervalSeconds: 0.1, longestGapSeconds: 0.2 },
    });
  });

  it('marks the result where the sampler stalled in a round', async () => {
    let round = 0;
    const run = await runBench([startedOnce(virtualSut('fp32', () => 1_000_000))], settings, {
      clock: systemClock,
      sampling: async () => {
        round += 1;
        return { intervalSeconds: 0.1, longestGapSeconds: round === 1 ? 4 : 0.1 };
      },
    });
    expect(run.results[0]).toMatchObject({
      valid: false,
      invalidReasons: [expect.stringMatching(/^In 1 of 2 rounds: The sampler stalled.* 4\.00 s/)],
    });
  });

  it('has nothing to record where nobody samples', async () => {
    const run = await runBench([startedOnce(virtualSut('fp32', () => 1_000_000))], settings, {
      clock: systemClock,
    });
    expect(run.results[0]?.sampling).toBeNull();
  });
});
