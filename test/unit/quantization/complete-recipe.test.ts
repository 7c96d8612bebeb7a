import { describe, expect, it } from 'vitest';
import {
  completeRecipe,
  RECIPE_FORMATS,
  type Recipe,
  type RecipeFormat,
  type RecipeRequest,
  STATIC_INT8,
} from '../../../src/quantization/recipe.ts';

const NOTHING = { opTypes: [], nodes: [] };

const WEIGHTS = {
  form: 'matmul-nbits',
  blockSize: 32,
  symmetric: false,
  algorithm: 'rtn',
  accuracyLevel: 4,
  exclude: NOTHING,
} as const;

const DEFAULTS: { readonly [F in RecipeFormat]: Recipe } = {
  'static-int8': {
    format: 'static-int8',
    calibration: { method: 'mse' },
    perTensor: false,
    reduceRange: 'auto',
    exclude: NOTHING,
  },
  'dynamic-int8': { format: 'dynamic-int8', perTensor: false, reduceRange: 'auto', exclude: NOTHING },
  'weight-int8': { format: 'weight-int8', ...WEIGHTS },
  'weight-int4': { format: 'weight-int4', ...WEIGHTS },
  float16: { format: 'float16', keepIo: true, exclude: NOTHING },
};

/** Every setting there is, none at its default. */
const EVERYTHING = {
  calibration: { method: 'percentile', percentile: 99.9, samples: 7 },
  perTensor: true,
  reduceRange: false,
  form: 'dequantize',
  blockSize: 128,
  symmetric: true,
  algorithm: 'hqq',
  accuracyLevel: 0,
  keepIo: false,
  exclude: { opTypes: ['Softmax'], nodes: ['head/*'] },
} as const satisfies Omit<RecipeRequest, 'format'>;

const SETTINGS: Readonly<Record<RecipeFormat, readonly (keyof typeof EVERYTHING)[]>> = {
  'static-int8': ['calibration', 'perTensor', 'reduceRange', 'exclude'],
  'dynamic-int8': ['perTensor', 'reduceRange', 'exclude'],
  'weight-int8': ['form', 'blockSize', 'symmetric', 'algorithm', 'accuracyLevel', 'exclude'],
  'weight-int4': ['form', 'blockSize', 'symmetric', 'algorithm', 'accuracyLevel', 'exclude'],
  float16: ['keepIo', 'exclude'],
};

describe('completeRecipe', () => {
  it('knows every format there is', () => {
    expect([...RECIPE_FORMATS].sort()).toEqual(Object.keys(DEFAULTS).sort());
  });

  it.each(RECIPE_FORMATS)('gives %s its defaults', (format) => {
    expect(completeRecipe({ format })).toStrictEqual(DEFAULTS[format]);
  });

  it.each(RECIPE_FORMATS)('takes over what %s has a setting for, and ignores the rest', (format) => {
    const own = Object.fromEntries(SETTINGS[format].map((name) => [name, EVERYTHING[name]]));
    expect(completeRecipe({ format, ...EVERYTHING })).toStrictEqual({ format, ...own });
  });

  it('fills in what a part of the settings leaves out', () => {
    const request = {
      format: 'static-int8',
      calibration: { samples: 7 },
      exclude: { nodes: ['a'] },
    } as const;
    expect(completeRecipe(request)).toMatchObject({
      calibration: { method: 'mse', samples: 7 },
      exclude: { opTypes: [], nodes: ['a'] },
    });
  });

  it.each(RECIPE_FORMATS)('changes nothing about a complete %s', (format) => {
    const complete = completeRecipe({ format, ...EVERYTHING });
    expect(completeRecipe(complete)).toStrictEqual(complete);
  });

  it('says by STATIC_INT8 what static-int8 means alone', () => {
    expect(STATIC_INT8).toStrictEqual(DEFAULTS['static-int8']);
  });
});
