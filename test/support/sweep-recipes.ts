import { completeRecipe, type Recipe, type RecipeRequest } from '../../src/quantization/recipe.ts';

/** A recipe to take every model through, and how much of the signal it must keep wherever it writes a model. */
export interface SweepRecipe {
  readonly recipe: Recipe;
  /** SQNR of every float output. Loose: lower means that something else is computed, not that it is computed coarsely. */
  readonly leastDb: number;
}

const OFF = { latencyGate: 'off' } as const;
const MINMAX = { method: 'minmax' } as const;

/** The figures are for one sample and a handful of nodes. */
const REQUESTS = {
  // Of feature maps whose size is not known it looks at every third row and column: of a single small map, a few values.
  'static-int8': [{ format: 'static-int8', ...OFF }, 0],
  'static-int8 minmax': [{ format: 'static-int8', calibration: MINMAX, ...OFF }, 10],
  'static-int8 per-tensor': [{ format: 'static-int8', perTensor: true, calibration: MINMAX, ...OFF }, 10],
  'static-int8 portable': [{ format: 'static-int8', target: 'portable', calibration: MINMAX }, 10],
  'static-int8 tensorrt': [{ format: 'static-int8', target: 'tensorrt', calibration: MINMAX }, 10],
  'static-int8 qoperator': [
    { format: 'static-int8', representation: 'qoperator', calibration: MINMAX, ...OFF },
    10,
  ],
  'static-int16': [{ format: 'static-int16' }, 15],
  'dynamic-int8': [{ format: 'dynamic-int8' }, 15],
  'weight-int8': [{ format: 'weight-int8' }, 20],
  'weight-int4': [{ format: 'weight-int4' }, 5],
  'weight-int4 dequantize': [{ format: 'weight-int4', form: 'dequantize' }, 5],
  'weight-int4 tensorrt': [{ format: 'weight-int4', target: 'tensorrt' }, 5],
  float16: [{ format: 'float16' }, 40],
  'float16 edges too': [{ format: 'float16', keepIo: false }, 40],
} as const satisfies Readonly<Record<string, readonly [RecipeRequest, number]>>;

export type SweepRecipeName = keyof typeof REQUESTS;

export const SWEEP_RECIPES = Object.fromEntries(
  Object.entries(REQUESTS).map(([name, [request, leastDb]]) => [
    name,
    { recipe: completeRecipe(request), leastDb },
  ]),
) as Readonly<Record<SweepRecipeName, SweepRecipe>>;

/**
 * Cases in which a small error of what comes in makes a large one of what goes out: steps, poles, and figures that leave
 * only a few of a grid's codes to the others. Only whether results are numbers is looked at there.
 */
const AMPLIFYING_CASES = /ceil|floor|round|sign|mod|log|tan|large_number|reduce_min|reduce_prod|training/;

/** How much of the signal a recipe must keep on a case. */
export function leastSqnrDb(recipe: SweepRecipeName, caseName: string): number {
  return AMPLIFYING_CASES.test(caseName) ? Number.NEGATIVE_INFINITY : SWEEP_RECIPES[recipe].leastDb;
}
