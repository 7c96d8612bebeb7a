import type { Recipe } from '../quantization/recipe.ts';
import { type CpuFeatures, int8SaturatesInPairs } from '../runtime/cpu-features.ts';

/** Replaces what the recipe leaves to the processor by what this one needs; one that is not known may saturate. */
export function resolveRecipe<R extends Recipe>(recipe: R, cpu: CpuFeatures): R {
  if (!('reduceRange' in recipe) || recipe.reduceRange !== 'auto') return recipe;
  const { target } = recipe;
  return { ...recipe, reduceRange: target === 'cpu' ? int8SaturatesInPairs(cpu) : target === 'portable' };
}
