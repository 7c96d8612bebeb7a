import { activationGrid } from './activation-grid.ts';
import { INT8_REDUCED, INT8_SYMMETRIC } from './affine.ts';
import type { QdqSettings } from './insert-qdq.ts';
import type { StaticRecipe } from './recipe.ts';

/**
 * The grids that a recipe means. TensorRT wants signed symmetric activations and adds the bias in float32 (TensorRT
 * Developer Guide, «Working with Quantized Types»); the others take the full grid, and the bias as int32.
 */
export function qdqSettings({ target, activations, perTensor, reduceRange }: StaticRecipe): QdqSettings {
  const isTensorrt = target === 'tensorrt';
  return {
    activations: activationGrid(activations, isTensorrt),
    weights: {
      grid: reduceRange === true ? INT8_REDUCED : INT8_SYMMETRIC,
      perTensor,
      quantizeBias: !isTensorrt,
    },
  };
}
