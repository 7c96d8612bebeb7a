import { describe, expect, it } from 'vitest';
import {
  completeRecipe,
  RECIPE_FORMATS,
  type Recipe,
  type RecipeFormat,
  type RecipeRequest,
  STATIC_INT8,
} from '../../../src/quantization/recipe.ts';

const NOTHING = { opTypes: [], nodes: [], tensors: [] };
const EVERYWHERE = { target: 'cpu', include: NOTHING, exclude: NOTHING } as const;

const WEIGHTS = {
  form: 'matmul-nbits',
  blockSize: 32,
  symmetric: false,
  algorithm: 'rtn',
  accuracyLevel: 4,
  ...EVERYWHERE,
} as const;

const STATIC = {
  representation: 'qdq',
  perTensor: false,
  reduceRange: 'auto',
  tune: 'none',
  ...EVERYWHERE,
} as const;

const DEFAULTS: { readonly [F in RecipeFormat]: Recipe } = {
  'static-int8': {
    format: 'static-int8',
    activations: 'uint8',
    calibration: { method: 'mse' },
    latencyGate: 'measured',
    ...STATIC,
  },
  'static-int16': {
    format: 'static-int16',
    activations: 'uint16',
    calibration: { method: 'minmax' },
    latencyGate: 'off',
    ...STATIC,
  },
  'dynamic-int8': { format: 'dynamic-int8', perTensor: false, reduceRange: 'auto', ...EVERYWHERE },
  'weight-int8': { format: 'weight-int8', ...WEIGHTS },
  'weight-int4': { format: 'weight-int4', ...WEIGHTS },
  float16: { format: 'float16', keepIo: true, ...EVERYWHERE },
};

/** Every setting there is, none at its default. */
const EVERYTHING = {
  target: 'portable',
  representation: 'qoperator',
  activations: 'int16',
  latencyGate: 'off',
  tune: 'full',
  calibration: { method: 'percentile', percentile: 99.9, samples: 7 },
  perTensor: true,
  reduceRange: false,
  form: 'dequantize',
  blockSize: 128,
  symmetric: true,
  algorithm: 'hqq',
  accuracyLevel: 0,
  keepIo: false,
  include: { opTypes: ['Conv'], nodes: [], tensors: ['w*'] },
  exclude: { opTypes: ['Softmax'], nodes: ['head/*'], tensors: [] },
} as const satisfies Omit<RecipeRequest, 'format'>;

const SCOPE = ['target', 'include', 'exclude'] as const;
const STATIC_SETTINGS = [
  'representation',
  'activations',
  'calibration',
  'perTensor',
  'reduceRange',
  'latencyGate',
  'tune',
  ...SCOPE,
] as const;
const WEIGHT_SETTINGS = ['form', 'blockSize', 'symmetric', 'algorithm', 'accuracyLevel', ...SCOPE] as const;

const SETTINGS: Readonly<Record<RecipeFormat, readonly (keyof typeof EVERYTHING)[]>> = {
  'static-int8': STATIC_SETTINGS,
  'static-int16': STATIC_SETTINGS,
  'dynamic-int8': ['perTensor', 'reduceRange', ...SCOPE],
  'weight-int8': WEIGHT_SETTINGS,
  'weight-int4': WEIGHT_SETTINGS,
  float16: ['keepIo', ...SCOPE],
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
      exclude: { opTypes: [], nodes: ['a'], tensors: [] },
    });
  });

  it.each(RECIPE_FORMATS)('changes nothing about a complete %s', (format) => {
    const complete = completeRecipe({ format, ...EVERYTHING });
    expect(completeRecipe(complete)).toStrictEqual(complete);
  });

  it('takes for TensorRT what it accepts: signed activations, blocks of 128 without zero points', () => {
    expect(completeRecipe({ format: 'static-int8', target: 'tensorrt' })).toMatchObject({
      activations: 'int8',
      latencyGate: 'off',
    });
    expect(completeRecipe({ format: 'weight-int4', target: 'tensorrt' })).toMatchObject({
      form: 'dequantize',
      blockSize: 128,
      symmetric: true,
    });
  });

  it('keeps to operators of ONNX itself for a portable model', () => {
    expect(completeRecipe({ format: 'weight-int4', target: 'portable' })).toMatchObject({
      form: 'dequantize',
    });
  });

  it('says by STATIC_INT8 what static-int8 means alone', () => {
    expect(STATIC_INT8).toStrictEqual(DEFAULTS['static-int8']);
  });
});
