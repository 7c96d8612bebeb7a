import { describe, expect, it } from 'vitest';
import { isSureGain } from '../../../../src/quantization/tuning/sure-gain.ts';

/** Numbers that look random, between 0 and 1. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

describe('isSureGain', () => {
  it('takes a gain that nearly every sample shows', () => {
    expect(isSureGain([1, 2, 3, 4], [0.9, 1.8, 2.8, 3.7])).toBe(true);
  });

  it('takes none that is one of one sample alone, though the sum got smaller', () => {
    expect(isSureGain([1, 1, 1, 9], [1.1, 1.1, 1.1, 1])).toBe(false);
  });

  it('takes one that most samples show, however noisy the others are', () => {
    const before = [1, 1, 1, 1, 1, 1, 1, 1, 50];
    expect(isSureGain(before, [0.5, 0.4, 0.5, 0.6, 0.5, 0.4, 0.5, 0.6, 60])).toBe(true);
  });

  it('takes a noise that is gone for a gain, and no more than that of one sample', () => {
    expect(isSureGain([1, 1, 1], [0, 0, 0])).toBe(true);
    expect(isSureGain([0, 0, 0], [0, 0, 0])).toBe(false);
    expect(isSureGain([1, 1, 1], [0, 1, 1])).toBe(false);
    expect(isSureGain([Number.NaN, 1, 1], [1, 0.9, 0.9])).toBe(false);
    expect(isSureGain([Number.NaN, Number.NaN, Number.NaN], [1, 1, 2])).toBe(true);
  });

  it('takes no loss, nothing gained, and no noise that is not a number', () => {
    expect(isSureGain([1, 2, 3], [1.1, 2.1, 3.1])).toBe(false);
    expect(isSureGain([1, 2, 3], [1, 2, 3])).toBe(false);
    expect(isSureGain([1, 2, 3], [0, 0, Number.NaN])).toBe(false);
    expect(isSureGain([1, 2, 3], [0, 0, Number.POSITIVE_INFINITY])).toBe(false);
  });

  it('takes one sample at its word', () => {
    expect(isSureGain([1], [0.9])).toBe(true);
    expect(isSureGain([1], [1.1])).toBe(false);
  });

  it.each([3, 5, 19, 64])(
    'is wrong about a pass that changes nothing in about 1 of 20 cases, with %d samples',
    (count) => {
      const next = random(count);
      const noise = () => Array.from({ length: count }, () => next() + next() + next());
      const runs = 4000;
      let wrong = 0;
      for (let run = 0; run < runs; run++) if (isSureGain(noise(), noise())) wrong += 1;
      expect(wrong / runs).toBeGreaterThan(0.035);
      expect(wrong / runs).toBeLessThan(0.065);
    },
  );
});
