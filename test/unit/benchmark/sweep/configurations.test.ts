import { describe, expect, it } from 'vitest';
import {
  describeConfiguration,
  powersOfTwoUpTo,
  sweepConfigurations,
} from '../../../../src/benchmark/sweep/configurations.ts';

describe('powersOfTwoUpTo', () => {
  it.each([
    [1, [1]],
    [2, [1, 2]],
    [6, [1, 2, 4, 6]],
    [8, [1, 2, 4, 8]],
  ])('of %d cores ends with the cores themselves', (cores, powers) => {
    expect(powersOfTwoUpTo(cores)).toEqual(powers);
  });
});

describe('sweepConfigurations', () => {
  const pairs = (configurations: ReturnType<typeof sweepConfigurations>) =>
    configurations.map(({ threads, concurrency }) => [threads, concurrency]);

  it('has every combination of what was asked for, and marks what wants more cores than there are', () => {
    const configurations = sweepConfigurations(
      { models: ['a', 'b'], batches: [1, 4], threads: [1, 2], concurrencies: [1, 2] },
      2,
    );
    expect(configurations).toHaveLength(16);
    expect(configurations.filter(({ oversubscribed }) => oversubscribed)).toEqual(
      ['a', 'b'].flatMap((model) =>
        [1, 4].map((batch) => ({ model, batch, threads: 2, concurrency: 2, oversubscribed: true })),
      ),
    );
  });

  it('leaves out what does not fit the host where nobody asked for it', () => {
    const lists = { models: ['a'], batches: [1] };
    expect(pairs(sweepConfigurations(lists, 4))).toEqual([
      [1, 1],
      [1, 2],
      [1, 4],
      [2, 1],
      [2, 2],
      [4, 1],
    ]);
    expect(pairs(sweepConfigurations({ ...lists, concurrencies: [2] }, 2))).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('counts every core where the threads are all of them', () => {
    const of = (concurrency: number) =>
      sweepConfigurations({ models: ['a'], batches: [1], threads: [0], concurrencies: [concurrency] }, 4)[0];
    expect([of(1)?.oversubscribed, of(2)?.oversubscribed]).toEqual([false, true]);
  });
});

describe('describeConfiguration', () => {
  it('says it in words', () => {
    expect(describeConfiguration({ batch: 4, threads: 1, concurrency: 2 })).toBe(
      'batch 4, 1 thread, 2 lanes',
    );
    expect(describeConfiguration({ batch: 1, threads: 0, concurrency: 1 })).toBe(
      'batch 1, all threads, 1 lane',
    );
  });
});
