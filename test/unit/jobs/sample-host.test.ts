import { describe, expect, it } from 'vitest';
import { sampledAs } from '../../../src/jobs/sample-host.ts';
import { fakeSampler } from '../../support/fake-sampler.ts';
import { ns, snapshotAt } from '../telemetry/snapshots.ts';

/** What was seen between two moments, of a host sampled at these seconds. */
function seen(ticks: readonly number[], from: number, to: number) {
  const { sampler, publish } = fakeSampler();
  return sampledAs(sampler, '10hz', async (between) => {
    for (const seconds of ticks) publish(snapshotAt(seconds));
    return between?.(ns(from), ns(to));
  });
}

describe('sampledAs', () => {
  it('tells the longest time without a sample between two moments', async () => {
    expect(await seen([0.9, 1.1, 1.4, 1.5], 1, 1.55)).toEqual({
      intervalSeconds: 0.1,
      longestGapSeconds: expect.closeTo(0.3, 9),
    });
  });

  it.each([
    ['at the beginning', [2.8, 2.9], 1.8],
    ['at the end', [1, 1.1], 1.9],
    ['from beginning to end', [], 2],
    ['for the present alone', [0.5, 3.5], 2],
  ])('counts what is missing %s', async (_where, ticks, seconds) => {
    expect((await seen(ticks, 1, 3))?.longestGapSeconds).toBeCloseTo(seconds, 9);
  });

  it('tells each of several spans on its own', async () => {
    const { sampler, publish } = fakeSampler();
    const gaps = await sampledAs(sampler, '10hz', async (between) => {
      for (const seconds of [1, 1.5, 2]) publish(snapshotAt(seconds));
      const first = await between?.(ns(1), ns(2));
      for (const seconds of [3, 3.25, 3.5]) publish(snapshotAt(seconds));
      return [first, await between?.(ns(3), ns(3.5))].map((gap) => gap?.longestGapSeconds);
    });
    expect(gaps).toEqual([0.5, 0.25]);
  });

  it('goes by the samples of the host, not by those of slower sources', async () => {
    const { sampler, publish } = fakeSampler();
    const gap = await sampledAs(sampler, '10hz', async (between) => {
      for (const seconds of [1, 1.1, 1.2]) publish(snapshotAt(seconds, { source: 'slow' }));
      return between?.(ns(1), ns(1.2));
    });
    expect(gap?.longestGapSeconds).toBeCloseTo(0.2, 9);
  });

  it('pauses the sampler before the work begins, where nothing is to be sampled', async () => {
    const { sampler, told } = fakeSampler();
    await sampledAs(sampler, 'off', async (between) => {
      expect(between).toBeUndefined();
      expect(told).toEqual(['pause']);
    });
  });

  it('calls for what was taken and not handed over yet', async () => {
    const { sampler, publish, told } = fakeSampler();
    const gap = await sampledAs(sampler, '10hz', async (between) => {
      publish(snapshotAt(1));
      const asked = between?.(ns(1), ns(1.4));
      expect(told.at(-1)).toBe('sample host');
      for (const seconds of [1.1, 1.2, 1.3, 1.41]) publish(snapshotAt(seconds));
      return asked;
    });
    expect(gap?.longestGapSeconds).toBeCloseTo(0.1, 9);
  });
});
