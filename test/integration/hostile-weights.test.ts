import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../../src/onnx/model-file.ts';
import { graph, model, node, tensor, value } from '../support/graph-builder.ts';
import {
  ALL,
  type Constants,
  everyRecipe,
  FEEDS,
  FLOAT16,
  layers,
  noise,
  outcomes,
  problemOf,
  ROWS,
  SIZE,
  STATIC,
} from '../support/hostile-models.ts';
import { type Feeds, floatFeed } from '../support/run-model.ts';
import type { SweepRecipeName } from '../support/sweep-recipes.ts';

/** Column `column` of a square matrix. */
function setColumn(matrix: number[], column: number, change: (value: number) => number): void {
  for (let at = column; at < matrix.length; at += SIZE) matrix[at] = change(matrix[at] as number);
}

describe('weights', () => {
  it.each<[string, (constants: Constants) => void]>([
    [
      'with columns of 0',
      ({ w1 }) => {
        for (const column of [3, 9]) setColumn(w1, column, () => 0);
      },
    ],
    ['with a column of 1e-30', ({ w1 }) => setColumn(w1, 3, (weight) => weight * 1e-30)],
    [
      'with a column of 1e-30 and a bias of its size',
      ({ w1, b1 }) => {
        setColumn(w1, 3, (weight) => weight * 1e-30);
        b1[3] = 1e-30;
      },
    ],
    ['of 0 alone', ({ w1 }) => w1.fill(0)],
  ])('%s give what they give in float32, with every recipe', async (_what, spoil) => {
    expect(await outcomes(layers(spoil), FEEDS, ALL)).toEqual(everyRecipe(ALL, 'written'));
  });

  it('of 1e-30 alone do so as well, wherever the output can hold what they give', async () => {
    const given = layers(({ w2 }) => w2.splice(0, w2.length, ...w2.map((weight) => weight * 1e-30)));
    const recipes = ALL.filter((recipe) => recipe !== 'float16 edges too');
    expect(await outcomes(given, FEEDS, recipes)).toEqual(everyRecipe(recipes, 'written'));
  });

  it.each<[string, SweepRecipeName, (constants: Constants) => void, string, string]>(
    ALL.flatMap((recipe) => [
      ['NaN', recipe, ({ w1 }: Constants) => w1.splice(70, 1, Number.NaN), 'first', 'w1'],
      ['infinity', recipe, ({ w2 }: Constants) => w2.splice(70, 1, Number.POSITIVE_INFINITY), 'second', 'w2'],
      ['NaN for a bias', recipe, ({ b1 }: Constants) => b1.splice(7, 1, Number.NaN), 'first', 'b1'],
    ]),
  )('with %s are refused by %s, which names node and constant', async (_what, recipe, spoil, where, name) => {
    expect(await problemOf(layers(spoil), recipe)).toMatchObject({
      kind: 'non-finite-weight',
      place: { node: where, tensor: name },
    });
  });

  it('may be outputs of the model as well', async () => {
    const given = layers(undefined, ['w1', 'b1', 'w2']);
    expect(await outcomes(given, FEEDS, ALL)).toEqual(everyRecipe(ALL, 'written'));
  });
});

describe('channels of a convolution', () => {
  const SHAPE = [1, 3, 8, 8];
  const RECIPES = [...STATIC, ...FLOAT16];
  const convolution = (factor: number, bias: number): OnnxModel => {
    const weights = noise(8 * 27).map((weight, at) => (at >= 27 && at < 54 ? weight * factor : weight));
    const biases = noise(8, 1, 5);
    biases[1] = bias;
    return model(
      graph({
        inputs: [value('x', 'float', SHAPE)],
        nodes: [
          node('Conv', ['x', 'w', 'b'], ['c']),
          node('Relu', ['c'], ['r']),
          node('Conv', ['r', 'v'], ['y']),
        ],
        outputs: [value('y')],
        initializers: [
          tensor('w', [8, 3, 3, 3], weights),
          tensor('b', [8], biases),
          tensor('v', [4, 8, 1, 1], noise(32)),
        ],
      }),
    );
  };

  it.each([
    [0, 0],
    [0, 0.5],
    [1e-30, 0],
    [1e-30, 0.5],
    [1e-30, 1e-30],
  ])('of weights times %d with a bias of %d cost the others nothing', async (factor, bias) => {
    const feeds = { x: floatFeed(SHAPE, noise(3 * 64)) };
    expect(await outcomes(convolution(factor, bias), feeds, RECIPES)).toEqual(
      everyRecipe(RECIPES, 'written'),
    );
  });
});

describe('samples', () => {
  const sample = (at7: number): Feeds => {
    const values = noise(ROWS * SIZE, 3);
    values[7] = at7;
    return { x: floatFeed([ROWS, SIZE], values) };
  };

  it('with NaN or infinity are refused where they are calibrated with, by tensor and index', async () => {
    expect(await problemOf(layers(), 'static-int8', sample(Number.NaN))).toMatchObject({
      kind: 'nan-in-sample',
      place: { tensor: 'x', sample: 0 },
    });
    expect(await problemOf(layers(), 'static-int8', sample(Number.POSITIVE_INFINITY))).toMatchObject({
      kind: 'non-finite-activation',
      place: { tensor: 'x', sample: 0 },
    });
  });

  it.each(['dynamic-int8', 'weight-int4', 'float16'] as const)(
    'that the original makes NaN of are not held against the model that %s makes',
    async (recipe) => {
      expect(await problemOf(layers(), recipe, sample(Number.NaN))).toMatchObject({
        kind: 'original-not-finite',
        place: { sample: 0 },
      });
    },
  );

  it.each([0, 1e-40])('of nothing but %d are as good as others', async (constant) => {
    const feeds = { x: floatFeed([ROWS, SIZE], new Array(ROWS * SIZE).fill(constant)) };
    expect(await outcomes(layers(), feeds, ALL)).toEqual(everyRecipe(ALL, 'written'));
  });
});
