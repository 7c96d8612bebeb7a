import { describe, expect, it } from 'vitest';
import { comparePaired } from '../../../../src/evaluation/paired.ts';
import {
  bootstrapBound,
  bootstrapDistribution,
} from '../../../../src/evaluation/statistics/bootstrap-interval.ts';
import { boundLoss } from '../../../../src/evaluation/statistics/loss-bounds.ts';

const Z95 = 1.6448536269514722;
const PROPORTION = { unit: 'proportion' } as const;
const NUMBER = { unit: 'number' } as const;

/** Replicates that scatter evenly about 0, of 100 units of which `changed` differ. */
function scattered(changed: number, spread = 1) {
  const jackknife = Float64Array.from({ length: 100 }, (_, i) => (i < changed ? (i % 2 === 0 ? 1 : -1) : 0));
  const replicates = Float64Array.from({ length: 2001 }, (_, i) => (spread * (i - 1000)) / 1000);
  return bootstrapDistribution(replicates, 0, jackknife, 100);
}

function constant(value: number) {
  return bootstrapDistribution(new Float64Array(50).fill(value), value, new Float64Array(20).fill(value), 98);
}

describe('boundLoss', () => {
  it('moves the bound away by one change more than was seen, in the root of squares', () => {
    const losses = scattered(4);
    const { oneMoreChange, lossUpperBound, lossStandardError } = boundLoss(
      losses,
      scattered(50),
      PROPORTION,
      0.95,
    );
    expect(oneMoreChange).toBeCloseTo((lossStandardError as number) / 2, 12);
    expect(lossUpperBound).toBeCloseTo(
      Math.hypot(bootstrapBound(losses, 0.95), (Z95 * losses.standardError) / 2),
      12,
    );
  });

  it('moves it hardly at all where many changed', () => {
    const losses = scattered(100);
    const { lossUpperBound } = boundLoss(losses, losses, PROPORTION, 0.95);
    expect((lossUpperBound as number) / bootstrapBound(losses, 0.95)).toBeLessThan(1.006);
  });

  it('has an interval around the loss, at the confidence that is asked for', () => {
    const { lossInterval } = boundLoss(scattered(10), scattered(10), PROPORTION, 0.9);
    expect(lossInterval).toMatchObject({
      lower: expect.any(Number),
      upper: expect.any(Number),
      confidence: 0.9,
    });
    expect(lossInterval?.lower).toBeCloseTo(-(lossInterval?.upper as number), 12);
    expect(lossInterval?.lower).toBeLessThan(-0.8);
  });

  it('takes an unseen change of a proportion for a whole item, as comparePaired does', () => {
    const { lossUpperBound, lossInterval } = boundLoss(constant(0), scattered(50), PROPORTION, 0.95);
    const exact = comparePaired({ bothRight: 98, referenceOnly: 0, candidateOnly: 0, bothWrong: 0 });
    expect(lossUpperBound).toBeCloseTo(exact.dropUpperBound, 12);
    expect(lossInterval?.lower).toBeCloseTo(-1.959963984540054 / 100, 12);
  });

  it('takes an unseen change of another figure for as much as a usual item differs', () => {
    const reference = scattered(50);
    const { lossUpperBound, oneMoreChange } = boundLoss(constant(0), reference, NUMBER, 0.95);
    expect(oneMoreChange).toBeCloseTo(reference.standardError / Math.sqrt(98), 12);
    expect(lossUpperBound).toBeCloseTo((Z95 * reference.standardError) / Math.sqrt(98), 12);
  });

  it('bounds nothing where neither a change nor a difference between items was seen', () => {
    expect(boundLoss(constant(0), constant(3), NUMBER, 0.95)).toEqual({
      lossStandardError: 0,
      lossInterval: null,
      lossUpperBound: null,
      oneMoreChange: null,
    });
  });
});
