import { describe, expect, it } from 'vitest';
import { completeRecipe, RECIPE_FORMATS, type RecipeRequest } from '../../../src/quantization/recipe.ts';
import { targetRefusal } from '../../../src/quantization/target-refusal.ts';
import { TARGETS } from '../../../src/quantization/targets.ts';

const refusalOf = (request: RecipeRequest) => targetRefusal(completeRecipe(request));

describe('targetRefusal', () => {
  /** The targets on which each format, with the defaults for that target, is worth making. */
  const FITTING = {
    'static-int8': ['cpu', 'tensorrt', 'portable'],
    'static-int16': ['cpu', 'portable'],
    'dynamic-int8': ['cpu', 'portable'],
    'weight-int8': ['cpu', 'cuda', 'tensorrt', 'webgpu', 'portable'],
    'weight-int4': ['cpu', 'cuda', 'tensorrt', 'webgpu', 'portable'],
    float16: ['cpu', 'cuda', 'tensorrt', 'webgpu', 'portable'],
  } as const;

  it.each(RECIPE_FORMATS)('lets %s pass where it pays, and nowhere else', (format) => {
    const passing = TARGETS.filter((target) => refusalOf({ format, target }) === undefined);
    expect(passing).toEqual(FITTING[format]);
  });

  it.each([
    [{ format: 'static-int8', activations: 'uint16' }, 'take --recipe static-int16'],
    [{ format: 'static-int16', activations: 'int8' }, 'take uint16 or int16, or --recipe static-int8'],
    [
      { format: 'static-int8', target: 'tensorrt', activations: 'uint8' },
      'take static-int8 with int8 activations, which is the default for this target',
    ],
    [
      { format: 'static-int8', target: 'portable', representation: 'qoperator' },
      'take --format qdq, or the target cpu',
    ],
    [
      { format: 'static-int8', activations: 'int8', representation: 'qoperator' },
      'take uint8 activations, or --format qdq',
    ],
    [{ format: 'static-int16', representation: 'qoperator' }, 'take uint8 activations, or --format qdq'],
    [
      { format: 'weight-int4', target: 'portable', form: 'matmul-nbits' },
      'take --form dequantize, which is the default for this target',
    ],
  ] as const)('says of %j what to do instead', (request, hint) => {
    expect(refusalOf(request)).toMatchObject({ kind: 'target-mismatch', hint });
  });

  it('names recipe, target and reason', () => {
    expect(refusalOf({ format: 'static-int8', target: 'cuda' })?.message).toBe(
      'static-int8 for the target cuda: its provider computes in float32 between the roundings, so the model would only become slower',
    );
  });
});
