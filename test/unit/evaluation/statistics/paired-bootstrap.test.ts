import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePaired } from '../../../../src/evaluation/paired.ts';
import {
  type PairedBootstrap,
  pairedBootstrap,
  pairedBootstraps,
} from '../../../../src/evaluation/statistics/paired-bootstrap.ts';
import type { Figures, Weights } from '../../../../src/evaluation/task.ts';
import { ACCURACY, ERROR, meanMeasure, rightAnswers } from './simulated-measures.ts';

/** `b` losses and `c` gains on `n` items, all others right in both. */
function ofRightAnswers(n: number, b: number, c: number, more: { seed?: number } = {}): PairedBootstrap {
  const { reference, candidate } = rightAnswers(n, b, c);
  return pairedBootstrap({
    reference: meanMeasure('top1', reference),
    candidate: meanMeasure('top1', candidate),
    n,
    metric: ACCURACY,
    seed: 1,
    ...more,
  });
}

/** Errors of two models on items in groups. */
function ofErrors(
  reference: readonly number[],
  candidate: readonly number[],
  groups?: readonly string[],
): PairedBootstrap {
  return pairedBootstrap({
    reference: meanMeasure('mae', reference),
    candidate: meanMeasure('mae', candidate),
    n: reference.length,
    groups,
    metric: ERROR,
    seed: 1,
  });
}

describe('pairedBootstrap', () => {
  it('gives the figures and the loss as they are measured, without weights', () => {
    expect(ofRightAnswers(200, 12, 2)).toMatchObject({
      reference: 0.99,
      candidate: 0.94,
      loss: expect.closeTo(0.05, 12),
      units: 200,
      replicates: 2000,
      undefinedReplicates: 0,
      confidence: 0.95,
    });
  });

  it('has a positive loss where the candidate is worse, also where a lower figure is better', () => {
    expect(ofErrors([1, 2, 3], [2, 3, 5]).loss).toBeCloseTo(4 / 3, 12);
    expect(ofErrors([2, 3, 5], [1, 2, 3]).loss).toBeCloseTo(-4 / 3, 12);
  });

  it('finds the standard error and the bound of comparePaired for right and wrong answers', () => {
    const [n, b, c] = [1000, 40, 20];
    const exact = comparePaired({ bothRight: n - b - c, referenceOnly: b, candidateOnly: c, bothWrong: 0 });
    const { lossStandardError, lossUpperBound } = ofRightAnswers(n, b, c);
    expect(lossStandardError).toBeCloseTo(exact.dropStandardError, 3);
    expect(Math.abs((lossUpperBound as number) - exact.dropUpperBound)).toBeLessThan(0.0015);
  });

  it('draws the same items for both models: a loss that is the same on every item is certain', () => {
    const errors = Array.from({ length: 60 }, (_, i) => 1 + (i % 7));
    const shifted = errors.map((error) => error + 0.5);
    const { lossStandardError, lossInterval, referenceInterval } = ofErrors(errors, shifted);
    expect(lossStandardError).toBeLessThan(1e-12);
    expect((referenceInterval?.upper as number) - (referenceInterval?.lower as number)).toBeGreaterThan(0.5);
    expect(lossInterval?.lower).toBeGreaterThan(0.4);
  });

  it('contains the figures in their intervals, and the bound in the interval of the loss', () => {
    const { referenceInterval, candidateInterval, lossInterval, lossUpperBound, reference, candidate, loss } =
      ofRightAnswers(300, 15, 6);
    for (const [interval, figure] of [
      [referenceInterval, reference],
      [candidateInterval, candidate],
      [lossInterval, loss],
    ] as const) {
      expect(interval?.lower).toBeLessThan(figure as number);
      expect(interval?.upper).toBeGreaterThan(figure as number);
      expect(interval?.confidence).toBe(0.95);
    }
    expect(lossUpperBound).toBeLessThan(lossInterval?.upper as number);
    expect(lossUpperBound).toBeGreaterThan(loss as number);
  });

  it('is wider with groups whose items go together', () => {
    const groups = Array.from({ length: 100 }, (_, i) => `recording ${Math.floor(i / 10)}`);
    const reference = Array.from({ length: 100 }, () => 1);
    const candidate = groups.map((_, i) => (Math.floor(i / 10) % 2 === 0 ? 1.2 : 0.9));
    const grouped = ofErrors(reference, candidate, groups);
    const single = ofErrors(reference, candidate);
    expect(grouped.units).toBe(10);
    // Ten items that go together count as one: √10 times the standard error.
    expect((grouped.lossStandardError as number) / (single.lossStandardError as number)).toBeCloseTo(3.16, 0);
    expect(grouped.lossUpperBound).toBeGreaterThan(single.lossUpperBound as number);
  });

  it('gives the same for the same seed, and something else for another', () => {
    expect(ofRightAnswers(200, 12, 2)).toEqual(ofRightAnswers(200, 12, 2));
    expect(ofRightAnswers(200, 12, 2, { seed: 2 }).lossStandardError).not.toBe(
      ofRightAnswers(200, 12, 2).lossStandardError,
    );
  });

  it('bounds nothing from units so few that all may lie on one side, and needs no item at all', () => {
    const nothing = {
      lossInterval: null,
      lossUpperBound: null,
      referenceInterval: null,
      candidateInterval: null,
      replicates: 0,
      undefinedReplicates: 0,
    };
    expect(ofErrors([1, 2], [2, 3], ['g', 'g'])).toMatchObject({ ...nothing, loss: 1, units: 1 });
    expect(ofErrors([1, 2, 3, 4], [2, 3, 5, 4])).toMatchObject({ ...nothing, loss: 1, units: 4 });
    expect(ofErrors([1, 2, 3, 4, 5], [2, 3, 5, 4, 6])).toMatchObject({ replicates: 2000, units: 5 });
    expect(ofErrors([1, 2, 3, 4, 5], [2, 3, 5, 4, 6]).lossUpperBound).toBeGreaterThan(1);
    expect(ofErrors([], [])).toMatchObject({ ...nothing, loss: null, reference: null, units: 0 });
  });

  it('has the loss within its bounds, whatever the errors and the groups', () => {
    const error = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: -1e6, max: 1e6, noNaN: true }));
    const item = fc.tuple(error, error, fc.constantFrom('a', 'b', 'c', 'd', 'e', undefined));
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 15 }), fc.integer(), (items, seed) => {
        const { loss, lossInterval, lossUpperBound, referenceInterval } = pairedBootstrap({
          reference: meanMeasure(
            'mae',
            items.map(([before]) => before),
          ),
          candidate: meanMeasure(
            'mae',
            items.map(([, after]) => after),
          ),
          n: items.length,
          groups: items.map(([, , group]) => group),
          metric: ERROR,
          seed,
          replicates: 60,
        });
        fc.pre(lossInterval !== null);
        expect(lossInterval?.lower).toBeLessThanOrEqual(loss as number);
        expect(lossInterval?.upper).toBeGreaterThanOrEqual(loss as number);
        expect(lossUpperBound).toBeGreaterThanOrEqual(loss as number);
        if (referenceInterval !== null) {
          expect(referenceInterval.lower).toBeLessThanOrEqual(referenceInterval.upper);
        }
      }),
    );
  });

  it('has no interval for a figure that is the same in every replicate', () => {
    const { reference, referenceInterval, candidateInterval } = ofRightAnswers(100, 5, 0);
    expect(reference).toBe(1);
    expect(referenceInterval).toBeNull();
    expect(candidateInterval?.upper).toBeLessThanOrEqual(1);
  });
});

describe('a metric without a value in some replicates', () => {
  /** Accuracy on the items marked as rare: null where none of them was drawn. */
  function ofRare(n: number, rare: number): PairedBootstrap {
    const measure =
      (right: number) =>
      (weights?: Weights): Figures => {
        let count = 0;
        for (let item = 0; item < rare; item += 1) count += weights?.[item] ?? 1;
        return { top1: count === 0 ? null : right - (weights?.[0] ?? 1) / n };
      };
    return pairedBootstrap({ reference: measure(1), candidate: measure(0.9), n, metric: ACCURACY, seed: 1 });
  }

  it('leaves few of them out, and says how many', () => {
    // None of three in a hundred is drawn with probability 0.97^100 = 4.8 %.
    const { undefinedReplicates, lossUpperBound } = ofRare(100, 3);
    expect(undefinedReplicates / 2000).toBeCloseTo(0.048, 1);
    expect(undefinedReplicates).toBeGreaterThan(50);
    expect(lossUpperBound).not.toBeNull();
  });

  it('bounds nothing where they are more than a tenth', () => {
    const result = ofRare(100, 2);
    expect(result.undefinedReplicates).toBeGreaterThan(200);
    expect(result).toMatchObject({
      loss: expect.closeTo(0.1, 9),
      lossUpperBound: null,
      lossInterval: null,
      referenceInterval: null,
      oneMoreChange: null,
    });
  });

  it('counts a figure that is not finite as none', () => {
    const result = pairedBootstrap({
      reference: () => ({ top1: 0.5 }),
      candidate: () => ({ top1: Number.POSITIVE_INFINITY }),
      n: 10,
      metric: ACCURACY,
      seed: 1,
    });
    expect(result).toMatchObject({ candidate: null, loss: null, undefinedReplicates: 2000 });
  });
});

describe('pairedBootstraps', () => {
  it('gives each metric what it has alone, measuring only once', () => {
    let calls = 0;
    const both = (top1: readonly number[], mae: readonly number[]) => {
      const measures = [meanMeasure('top1', top1), meanMeasure('mae', mae)] as const;
      return (weights?: Weights): Figures => {
        calls += 1;
        return { ...measures[0](weights), ...measures[1](weights) };
      };
    };
    const { reference, candidate } = rightAnswers(40, 6, 2);
    const options = {
      reference: both(reference, candidate),
      candidate: both(candidate, reference),
      n: 40,
      seed: 3,
      replicates: 100,
      confidence: 0.9,
    };
    const together = pairedBootstraps({ ...options, metrics: [ACCURACY, ERROR] });
    expect(calls).toBe(2 * (1 + 100 + 40));
    expect(together).toEqual([ACCURACY, ERROR].map((metric) => pairedBootstrap({ ...options, metric })));
    expect(together.map(({ replicates }) => replicates)).toEqual([100, 100]);
  });
});
