import type { Recipe } from '../quantization/recipe.ts';
import { type CpuFeatures, int8SaturatesInPairs } from '../runtime/cpu-features.ts';

/** Replaces what the recipe leaves to the host by what this host needs. */
export function resolveRecipe(recipe: Recipe, cpu: CpuFeatures): Recipe {
  return recipe.reduceRange === 'auto' ? { ...recipe, reduceRange: int8SaturatesInPairs(cpu) } : recipe;
}
