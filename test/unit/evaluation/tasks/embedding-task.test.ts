import { describe, expect, it } from 'vitest';
import type { Weights } from '../../../../src/evaluation/task.ts';
import {
  createEmbeddingTask,
  type EmbeddingSettings,
} from '../../../../src/evaluation/tasks/embedding-task.ts';
import { answersOf, OUTPUTS, tensor } from './metric-cases.ts';

type Vectors = readonly (readonly number[])[];

const task = createEmbeddingTask(OUTPUTS);

function compare(
  reference: Vectors,
  candidate: Vectors,
  settings: Partial<EmbeddingSettings> = {},
  weights?: Weights,
) {
  const own = createEmbeddingTask({ ...OUTPUTS, ...settings });
  const answers = (vectors: Vectors) =>
    answersOf(
      own,
      vectors.map((vector) => tensor(vector)),
    );
  return own.measure(answers(candidate), answers(reference))(weights);
}

/** Two pairs, close to each other: 0 and 1, 2 and 3. */
const PAIRS = [
  [1, 0],
  [1, 0.1],
  [0, 1],
  [0.1, 1],
];
/** 0 and 2 are close to each other now; 1 and 3 are still nearest to 0 and 2. */
const SWAPPED = [
  [1, 0],
  [1, 0.3],
  [1, 0.1],
  [0.1, 1],
];

describe('createEmbeddingTask', () => {
  it('measures how many of the nearest items stay the nearest', () => {
    expect(compare(PAIRS, PAIRS, { k: 1 })).toEqual({ neighbor_recall: 1, cosine: expect.closeTo(1, 12) });
    // Nearest then 1, 0, 3, 2; now 2, 2, 0, 1.
    expect(compare(PAIRS, SWAPPED, { k: 1 })['neighbor_recall']).toBe(0);
    // With two neighbours: then {1,3} {0,3} {3,1} {2,1}, now {2,1} {2,0} {0,1} {1,2}.
    expect(compare(PAIRS, SWAPPED, { k: 2 })['neighbor_recall']).toBe((1 + 1 + 1 + 2) / 8);
  });

  it('does not look at the length of the vectors', () => {
    const scaled = PAIRS.map((vector, i) => vector.map((x) => x * 2 ** i));
    expect(compare(PAIRS, scaled, { k: 1 })).toEqual({ neighbor_recall: 1, cosine: expect.closeTo(1, 12) });
  });

  it('looks for no more neighbours than there are other items, and for none of a single one', () => {
    expect(compare(PAIRS, SWAPPED, { k: 10 })['neighbor_recall']).toBe(1);
    expect(compare([[1, 0]], [[1, 1]])).toEqual({
      neighbor_recall: null,
      cosine: expect.closeTo(Math.SQRT1_2, 12),
    });
    expect(compare([], [])).toEqual({ neighbor_recall: null, cosine: null });
  });

  it('averages what was measured for each item by the weights', () => {
    const figures = compare(PAIRS, SWAPPED, { k: 2 }, [0, 0, 1, 3]);
    expect(figures['neighbor_recall']).toBe((1 / 2 + 3) / 4);
    expect(figures['cosine']).toBeCloseTo((0.1 / Math.hypot(1, 0.1) + 3) / 4, 6);
    expect(compare(PAIRS, SWAPPED, {}, [0, 0, 0, 0])).toEqual({ neighbor_recall: null, cosine: null });
  });

  it('asks only some items for their neighbours if there are many, taken evenly', () => {
    // Of four items 0 and 2 are asked, with all four to choose from.
    expect(compare(PAIRS, SWAPPED, { k: 2, maxItems: 2 })['neighbor_recall']).toBe((1 + 1) / 4);
    expect(compare(PAIRS, SWAPPED, { k: 2, maxItems: 2 }, [0, 1, 0, 1])['neighbor_recall']).toBeNull();
    expect(compare(PAIRS, SWAPPED, { k: 2, maxItems: 2 }, [0, 1, 0, 1])['cosine']).not.toBeNull();
  });

  it('takes a vector with NaN as one that has nothing in common with any', () => {
    const broken = [
      [1, 0],
      [Number.NaN, 0.1],
      [0, 1],
      [0.1, 1],
    ];
    expect(compare(PAIRS, broken, { k: 1 })).toEqual({
      neighbor_recall: 0.5,
      cosine: expect.closeTo(0.75, 12),
    });
    // The first and the last have one neighbour left, the one with NaN has none.
    const three = [
      [1, 0],
      [Number.NaN, 0],
      [0, 1],
    ];
    expect(compare(three, three, { k: 2 })['neighbor_recall']).toBe((1 / 2 + 0 + 1 / 2) / 3);
    const [nan, infinite] = answersOf(task, [tensor([Number.NaN, 1]), tensor([Number.POSITIVE_INFINITY, 1])]);
    expect(nan && task.same(nan, nan)).toBe(false);
    expect(infinite && task.same(infinite, infinite)).toBe(false);
  });

  it('takes a vector of zeros as equal to another one and different from the rest', () => {
    const [zero, other, one] = answersOf(task, [tensor([0, 0]), tensor([0, 0]), tensor([1, 0])]);
    expect(zero && other && task.same(zero, other)).toBe(true);
    expect(zero && one && task.same(zero, one)).toBe(false);
    expect(
      compare(
        [
          [0, 0],
          [1, 0],
        ],
        [
          [0, 0],
          [0, 0],
        ],
      )['cosine'],
    ).toBe(0.5);
  });

  it('finds two answers the same from the least cosine on', () => {
    const loose = createEmbeddingTask({ ...OUTPUTS, minCosine: 0.7 });
    const [a, b, c, d] = answersOf(
      loose,
      [
        [1, 0],
        [1, 1],
        [0.9, 1],
        [1, 0, 0],
      ].map((vector) => tensor(vector)),
    );
    expect(a && b && loose.same(a, b)).toBe(true);
    expect(a && c && loose.same(a, c)).toBe(false);
    expect(a && d && loose.same(a, d)).toBe(false);
    expect(a && b && task.same(a, b)).toBe(false);
  });

  it('shows how many numbers there are', () => {
    const [answer] = answersOf(task, [tensor([3, 4])]);
    expect(answer && task.show(answer)).toBe('2 numbers of norm 5');
  });

  it('refuses outputs that are not one vector', () => {
    expect(task.answer({ y: tensor([1, 2], [1, 2, 1, 1]) }, { index: 1 }).ok).toBe(true);
    for (const dims of [
      [2, 2],
      [1, 2, 2],
      [1, 1],
    ]) {
      const y = tensor(new Array<number>(dims.reduce((a, b) => a * b)).fill(1), dims);
      expect(task.answer({ y }, { index: 1 })).toMatchObject({
        error: { kind: 'output-shape-unexpected', place: { tensor: 'y', sample: 1 } },
      });
    }
  });

  it('says which setting makes no sense', () => {
    for (const setting of [
      { k: 0 },
      { k: 1.5 },
      { maxItems: 0 },
      { minCosine: 2 },
      { minCosine: Number.NaN },
    ]) {
      const invalid = createEmbeddingTask({ ...OUTPUTS, ...setting });
      expect(invalid.answer({ y: tensor([1, 2]) }, { index: 1 })).toMatchObject({
        error: { kind: 'task-settings-invalid' },
      });
    }
  });
});
