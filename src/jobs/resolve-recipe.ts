import type { Recipe } from '../quantization/recipe.ts';
import { type CpuFeatures, int8SaturatesInPairs } from '../runtime/cpu-features.ts';

/** Replaces what the recipe leaves to the host by what this host needs. */
export function resolveRecipe<R extends Recipe>(recipe: R, cpu: CpuFeatures): R {
  if (!('reduceRange' in recipe) || recipe.reduceRange !== 'auto') return recipe;
  return { ...recipe, reduceRange: int8SaturatesInPairs(cpu) };
}
