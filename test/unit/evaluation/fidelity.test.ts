import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accumulateFidelity, type OutputFidelity } from '../../../src/evaluation/fidelity.ts';

type Item = readonly [reference: readonly number[], candidate: readonly number[]];

function measure(...items: readonly Item[]): OutputFidelity {
  const fidelity = accumulateFidelity('y');
  for (const [reference, candidate] of items) fidelity.add(reference, candidate);
  return fidelity.result();
}

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

describe('accumulateFidelity', () => {
  it('measures the SQNR over all elements of all items', () => {
    // ‖reference‖² = 9 + 16 + 100, ‖noise‖² = 1 + 0 + 0.25.
    const { sqnrDb, maxAbsError, identical } = measure(
      [
        [3, 4],
        [4, 4],
      ],
      [
        [10, 0],
        [10.5, 0],
      ],
    );
    expect(sqnrDb).toBeCloseTo(20, 12);
    expect(maxAbsError).toBe(1);
    expect(identical).toBe(false);
  });

  it('gives a tenth of the error 20 dB more', () => {
    const coarse =
      measure([
        [1, 2, 3],
        [1.1, 2, 3],
      ]).sqnrDb ?? nan;
    const fine =
      measure([
        [1, 2, 3],
        [1.01, 2, 3],
      ]).sqnrDb ?? nan;
    expect(fine - coarse).toBeCloseTo(20, 8);
  });

  it('has no SQNR for equal outputs and calls them identical', () => {
    expect(
      measure([
        [1, -2],
        [1, -2],
      ]),
    ).toMatchObject({ sqnrDb: null, cosine: 1, maxAbsError: 0, identical: true });
  });

  it('has no SQNR where the reference is zero, without calling it identical', () => {
    expect(
      measure([
        [0, 0],
        [1, 0],
      ]),
    ).toMatchObject({ sqnrDb: null, cosine: 0, maxAbsError: 1, identical: false });
  });

  it('averages the cosine of the items, whatever their lengths are', () => {
    expect(
      measure(
        [
          [100, 0],
          [0, 100],
        ],
        [
          [1, 0],
          [2, 0],
        ],
      ).cosine,
    ).toBeCloseTo(0.5, 15);
    expect(
      measure([
        [1, 1],
        [-1, -1],
      ]).cosine,
    ).toBeCloseTo(-1, 15);
  });

  it('calls two zero vectors parallel', () => {
    expect(
      measure([
        [0, 0],
        [0, 0],
      ]),
    ).toMatchObject({ cosine: 1, identical: true });
  });

  it('means the divergences of class scores over the items, and has none of anything else', () => {
    // Softmax of (0, ln 3) is (1/4, 3/4), of (0, 0) it is (1/2, 1/2).
    const { kl } = measure(
      [
        [0, Math.log(3)],
        [0, 0],
      ],
      [
        [1, 2],
        [1, 2],
      ],
    );
    expect(kl).toBeCloseTo((0.25 * Math.log(0.5) + 0.75 * Math.log(1.5)) / 2, 12);
    expect(measure([[1], [2]])).toMatchObject({ kl: null });
    expect(
      measure(
        [
          [1, 2],
          [1, 2],
        ],
        [
          [1, Number.NaN],
          [1, 2],
        ],
      ),
    ).toMatchObject({ kl: null });
  });

  it('has measured nothing without items', () => {
    expect(measure()).toEqual({
      name: 'y',
      sqnrDb: null,
      cosine: null,
      maxAbsError: 0,
      kl: null,
      identical: false,
      incomparable: 0,
    });
  });

  it('does not lose a small signal after a large one', () => {
    const { sqnrDb } = measure([[1e8], [1e8]], ...Array.from({ length: 1000 }, (): Item => [[1], [0]]));
    expect(sqnrDb).toBeCloseTo(10 * Math.log10((1e16 + 1000) / 1000), 10);
  });

  it.each<[string, Item, string | undefined]>([
    [
      'a NaN of the candidate',
      [
        [1, 2],
        [nan, 2],
      ],
      'candidate',
    ],
    [
      'an infinity of the candidate',
      [
        [1, 2],
        [1, infinity],
      ],
      'candidate',
    ],
    [
      'a NaN of the reference',
      [
        [nan, 2],
        [1, 2],
      ],
      'reference',
    ],
    ['a NaN of both', [[nan], [nan]], 'reference'],
    ['infinities of different signs', [[infinity], [-infinity]], 'reference'],
    [
      'an infinity that both have',
      [
        [-infinity, 1],
        [-infinity, 1],
      ],
      undefined,
    ],
    ['nothing but numbers', [[1], [2]], undefined],
  ])('blames %s on the right side', (_case, [reference, candidate], side) => {
    expect(accumulateFidelity('y').add(reference, candidate)).toBe(side);
  });

  it('leaves elements that are not finite out of the figures', () => {
    const { sqnrDb, cosine, maxAbsError } = measure([
      [-infinity, 3, 4, nan],
      [-infinity, 3, 5, 0],
    ]);
    expect(sqnrDb).toBeCloseTo(10 * Math.log10(25 / 1), 12);
    expect(cosine).toBeCloseTo(29 / (5 * Math.sqrt(34)), 12);
    expect(maxAbsError).toBe(1);
  });

  it('keeps the cosine between −1 and 1 and does not depend on scale', () => {
    const vector = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(vector, vector, (reference, candidate) => {
        const { cosine } = measure([reference, candidate]);
        expect(Math.abs(cosine ?? nan)).toBeLessThanOrEqual(1);
        const scaled = measure([reference, candidate.map((value) => value * 4)]);
        expect(scaled.cosine).toBeCloseTo(cosine ?? nan, 9);
      }),
    );
  });
});
