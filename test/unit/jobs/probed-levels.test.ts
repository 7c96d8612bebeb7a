import { describe, expect, it } from 'vitest';
import { probedLevels } from '../../../src/jobs/probed-levels.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const PLENTY = 64 * 2 ** 30;

const CACHES = [
  { level: 1, sizeBytes: 48 * KIB, sharedBy: 2 },
  { level: 2, sizeBytes: 2 * MIB, sharedBy: 2 },
  { level: 3, sizeBytes: 32 * MIB, sharedBy: 16 },
];

describe('probedLevels', () => {
  it('fill each cache in part, and are too large for the one before', () =>
    expect(probedLevels(CACHES, 1, 16, PLENTY)).toEqual([
      { name: 'L2', capacityBytes: 2 * MIB, bufferBytes: [0.5 * MIB, MIB], instances: 1 },
      { name: 'L3', capacityBytes: 32 * MIB, bufferBytes: [4 * MIB, 8 * MIB, 16 * MIB], instances: 1 },
      { name: 'memory', capacityBytes: null, bufferBytes: [64 * MIB], instances: 1 },
    ]));

  it('count a cache of a core once for each thread, as long as there are cores', () => {
    const capacities = (threads: number) =>
      probedLevels(CACHES, threads, 16, PLENTY).map(({ capacityBytes, instances }) => [
        capacityBytes,
        instances,
      ]);
    expect(capacities(3)).toEqual([
      [6 * MIB, 3],
      [32 * MIB, 1],
      [null, 1],
    ]);
    expect(capacities(16)[0]).toEqual([16 * MIB, 8]);
  });

  it('leave a cache out that is no larger than the ones before it together', () =>
    expect(probedLevels(CACHES, 8, 16, PLENTY).map(({ name }) => name)).toEqual(['L2', 'memory']));

  it('leave a cache out that is too small to be told from the time of a call', () => {
    const small = [{ level: 2, sizeBytes: 128 * KIB, sharedBy: 1 }];
    expect(probedLevels(small, 1, 2, PLENTY).map(({ name }) => name)).toEqual(['memory']);
  });

  it('take no more than an eighth of what is free, and half a gibibyte, for the memory', () => {
    const huge = [{ level: 2, sizeBytes: 480 * MIB, sharedBy: 2 }];
    const memory = (freeBytes: number) => probedLevels(huge, 1, 2, freeBytes).at(-1)?.bufferBytes;
    expect(memory(PLENTY)).toEqual([512 * MIB]);
    expect(memory(800 * MIB)).toEqual([100 * MIB]);
  });

  it('are the memory alone where the kernel tells of no caches', () =>
    expect(probedLevels([], 4, 4, PLENTY)).toEqual([
      { name: 'memory', capacityBytes: null, bufferBytes: [64 * MIB], instances: 1 },
    ]));
});
