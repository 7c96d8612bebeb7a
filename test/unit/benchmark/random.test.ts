import { describe, expect, it } from 'vitest';
import { seededRandom, shuffledIndices } from '../../../src/benchmark/random.ts';

describe('seededRandom', () => {
  it('repeats for the same seed and differs for the next', () => {
    const take = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(take(3)).toEqual(take(3));
    expect(take(3)).not.toEqual(take(4));
  });

  it('fills [0, 1) evenly', () => {
    const random = seededRandom(11);
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const bin = Math.floor(random() * 10);
      bins[bin] = (bins[bin] as number) + 1;
    }
    // 1,000 are expected in each of the ten; four standard deviations are 120.
    for (const count of bins) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });
});

describe('shuffledIndices', () => {
  it('gives every order equally often', () => {
    const random = seededRandom(5);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6_000; i++) {
      const order = shuffledIndices(3, random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 1,000 are expected of each; four standard deviations are 115.
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(115);
  });
});
