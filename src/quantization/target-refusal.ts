import { type Problem, problem } from '../core/problem.ts';
import type { Recipe } from './recipe.ts';
import type { Target } from './targets.ts';

/**
 * Why a recipe makes no sense for its target; `undefined` where it does. The reasons are properties of the providers:
 * CUDA and WebGPU have no int8 kernels behind Q/DQ and would run float32 plus the rounding, TensorRT takes signed symmetric
 * codes alone, and operators of the domain com.microsoft exist in ONNX Runtime alone.
 */
export function targetRefusal(recipe: Recipe): Problem<'target-mismatch'> | undefined {
  const refused = refusal(recipe);
  return (
    refused &&
    problem('target-mismatch', `${recipe.format} for the target ${recipe.target}: ${refused.reason}`, {
      hint: refused.hint,
    })
  );
}

interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

function refusal(recipe: Recipe): Refusal | undefined {
  switch (recipe.format) {
    case 'static-int8':
    case 'static-int16':
      return staticRefusal(recipe);
    case 'dynamic-int8':
      return recipe.target === 'cpu' || recipe.target === 'portable'
        ? undefined
        : {
            reason: 'its provider has no kernels that round activations at run time',
            hint: 'take float16 or weight-int4, or the target cpu',
          };
    case 'weight-int8':
    case 'weight-int4':
      return recipe.form === 'matmul-nbits' && (recipe.target === 'portable' || recipe.target === 'tensorrt')
        ? {
            reason: 'MatMulNBits is an operator of ONNX Runtime alone',
            hint: 'take --form dequantize, which is the default for this target',
          }
        : undefined;
    case 'float16':
      return undefined;
  }
}

function staticRefusal(recipe: Extract<Recipe, { readonly representation: unknown }>): Refusal | undefined {
  const { format, target, representation, activations } = recipe;
  const wide = activations === 'uint16' || activations === 'int16';
  if (wide !== (format === 'static-int16')) {
    return {
      reason: `its activations cannot be ${activations}`,
      hint: wide ? 'take --recipe static-int16' : 'take uint16 or int16, or --recipe static-int8',
    };
  }
  if (target === 'cuda' || target === 'webgpu') {
    return {
      reason: 'its provider computes in float32 between the roundings, so the model would only become slower',
      hint: 'take float16 or weight-int4 there; on NVIDIA hardware the target tensorrt computes in int8',
    };
  }
  if (target === 'tensorrt' && activations !== 'int8') {
    return {
      reason: `TensorRT takes no ${activations} activations`,
      hint: 'take static-int8 with int8 activations, which is the default for this target',
    };
  }
  if (representation === 'qoperator') return qoperatorRefusal(recipe.target, activations);
  return undefined;
}

function qoperatorRefusal(target: Target, activations: string): Refusal | undefined {
  if (target !== 'cpu') {
    return {
      reason: 'operators on codes are mostly known to the CPU provider of ONNX Runtime alone',
      hint: 'take --format qdq, or the target cpu',
    };
  }
  if (activations === 'uint8') return undefined;
  return {
    reason: `operators on ${activations} codes have no fast kernels, or none at all`,
    hint: 'take uint8 activations, or --format qdq',
  };
}
