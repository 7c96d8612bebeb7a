import type { DynamicInt8Recipe } from './dynamic/dynamic-recipe.ts';
import type { Exclusions } from './exclusions.ts';
import type { Float16Recipe } from './float16/float16-recipe.ts';
import type { WeightOnlyRecipe } from './weight-only/recipe.ts';

export const CALIBRATION_METHODS = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const;

export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** How the ranges of activations are found. */
export interface CalibrationSettings {
  readonly method: CalibrationMethod;
  /** For `percentile`: the per cent of values that are kept, such as 99.99. */
  readonly percentile?: number;
  /** At most so many samples of the calibration split; all when absent. */
  readonly samples?: number;
}

/** Static INT8: weights and activations, with ranges found by calibration. */
export interface StaticInt8Recipe {
  readonly format: 'static-int8';
  readonly calibration: CalibrationSettings;
  /** One scale for a whole weight tensor instead of one a channel. */
  readonly perTensor: boolean;
  /** Seven-bit weights. `auto`: only where the processor's 8-bit products saturate. */
  readonly reduceRange: boolean | 'auto';
  readonly exclude: Exclusions;
}

/** How to quantize, as plain data with every setting filled in. */
export type Recipe = StaticInt8Recipe | DynamicInt8Recipe | WeightOnlyRecipe | Float16Recipe;

export type RecipeFormat = Recipe['format'];

export const RECIPE_FORMATS = [
  'static-int8',
  'dynamic-int8',
  'weight-int8',
  'weight-int4',
  'float16',
] as const satisfies readonly RecipeFormat[];

/** A recipe as it is asked for: settings that the format does not have are ignored, those left out get their default. */
export interface RecipeRequest {
  readonly format: RecipeFormat;
  readonly calibration?: Partial<CalibrationSettings>;
  readonly perTensor?: boolean;
  readonly reduceRange?: boolean | 'auto';
  readonly form?: WeightOnlyRecipe['form'];
  readonly blockSize?: number;
  readonly symmetric?: boolean;
  readonly algorithm?: WeightOnlyRecipe['algorithm'];
  readonly accuracyLevel?: WeightOnlyRecipe['accuracyLevel'];
  readonly keepIo?: boolean;
  readonly exclude?: Partial<Exclusions>;
}

/** The recipe with the defaults of its format. */
export function completeRecipe(request: RecipeRequest): Recipe {
  const exclude = { opTypes: request.exclude?.opTypes ?? [], nodes: request.exclude?.nodes ?? [] };
  const { format, perTensor = false, reduceRange = 'auto' } = request;
  switch (format) {
    case 'static-int8':
      return {
        format,
        calibration: { method: 'mse', ...request.calibration },
        perTensor,
        reduceRange,
        exclude,
      };
    case 'dynamic-int8':
      return { format, perTensor, reduceRange, exclude };
    case 'weight-int8':
    case 'weight-int4': {
      const { form = 'matmul-nbits', blockSize = 32, symmetric = false } = request;
      const { algorithm = 'rtn', accuracyLevel = 4 } = request;
      return { format, form, blockSize, symmetric, algorithm, accuracyLevel, exclude };
    }
    case 'float16':
      return { format, keepIo: request.keepIo ?? true, exclude };
  }
}

/** What `--recipe static-int8` means without further options. */
export const STATIC_INT8 = completeRecipe({ format: 'static-int8' }) as StaticInt8Recipe;
