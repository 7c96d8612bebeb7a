import { describe, expect, it } from 'vitest';
import { nextUint32, seedRandom } from '../../../../src/evaluation/statistics/random.ts';

function words(seed: number, count: number): readonly number[] {
  const state = seedRandom(seed);
  return Array.from({ length: count }, () => nextUint32(state));
}

describe('nextUint32', () => {
  it("gives the words of the authors' own program in C", () => {
    const state = Uint32Array.of(0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0);
    const expected = [0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70];
    expect(expected.map(() => nextUint32(state))).toEqual(expected);
    expect([...state]).toEqual([0xfc65379c, 0x52006d70, 0x87487639, 0xf1908343]);
  });

  it('sets each of the 32 bits half of the time', () => {
    const state = seedRandom(1);
    const set = new Float64Array(32);
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw += 1) {
      const word = nextUint32(state);
      for (let bit = 0; bit < 32; bit += 1) set[bit] = (set[bit] as number) + ((word >>> bit) & 1);
    }
    // Five standard deviations of a fair coin.
    for (const count of set) expect(Math.abs(count / draws - 0.5)).toBeLessThan(2.5 / Math.sqrt(draws));
  });
});

describe('seedRandom', () => {
  it('replays the same words from the same seed, and others from any other', () => {
    expect(words(7, 50)).toEqual(words(7, 50));
    const seeds = [0, 1, 2, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER];
    const starts = seeds.map((seed) => words(seed, 4).join());
    expect(new Set(starts).size).toBe(seeds.length);
  });

  it('never gives the state of zeros, from which nothing else follows', () => {
    for (let seed = -1000; seed < 1000; seed += 1)
      expect(seedRandom(seed).some((word) => word !== 0)).toBe(true);
  });
});
