import { describe, expect, it } from 'vitest';
import { resolveRecipe } from '../../../src/jobs/resolve-recipe.ts';
import { STATIC_INT8 } from '../../../src/quantization/recipe.ts';
import type { CpuFeatures } from '../../../src/runtime/cpu-features.ts';

const withVnni: CpuFeatures = {
  architecture: 'x64',
  modelName: 'a processor',
  logicalCpus: 2,
  avx2: true,
  avx512: true,
  vnni: true,
  amxInt8: false,
};
const withoutVnni = { ...withVnni, vnni: false };

describe('resolveRecipe', () => {
  it('takes eight-bit weights where products do not saturate', () => {
    expect(resolveRecipe(STATIC_INT8, withVnni)).toEqual({ ...STATIC_INT8, reduceRange: false });
  });

  it('takes seven-bit weights on x86 without VNNI', () => {
    expect(resolveRecipe(STATIC_INT8, withoutVnni).reduceRange).toBe(true);
  });

  it('leaves what the user has decided', () => {
    expect(resolveRecipe({ ...STATIC_INT8, reduceRange: false }, withoutVnni).reduceRange).toBe(false);
    expect(resolveRecipe({ ...STATIC_INT8, reduceRange: true }, withVnni).reduceRange).toBe(true);
  });
});
