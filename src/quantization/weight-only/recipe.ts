import type { RecipeScope } from '../node-selection.ts';
import type { Target } from '../targets.ts';

/**
 * `rtn`: round to nearest on the grid that spans the block. `hqq`: half-quadratic search for a better grid. `gptq`: round the
 * weights of a column together by the inputs that calibration data give them.
 */
export const WEIGHT_ALGORITHMS = ['rtn', 'hqq', 'gptq'] as const;

type WeightAlgorithm = (typeof WEIGHT_ALGORITHMS)[number];

/** How to quantize weights alone, activations staying float: what a profile or the command line asks for. */
export interface WeightOnlyRecipe extends RecipeScope {
  readonly format: 'weight-int8' | 'weight-int4';
  readonly target: Target;
  /**
   * `matmul-nbits`: ONNX Runtime's own operator com.microsoft MatMulNBits.
   * `dequantize`: DequantizeLinear with blocks, of ai.onnx 21, which any runtime reads and ONNX Runtime fuses to
   * MatMulNBits by itself, then with `accuracyLevel` 4.
   */
  readonly form: 'matmul-nbits' | 'dequantize';
  /** So many weights of a column share a scale: a power of two from 16 to 256. */
  readonly blockSize: number;
  /** Zero points fixed to the middle of the grid, so that none are stored. */
  readonly symmetric: boolean;
  readonly algorithm: WeightAlgorithm;
  /** For MatMulNBits: 0 and 1 compute in float32, 4 lets the kernel round activations to int8. */
  readonly accuracyLevel: 0 | 1 | 4;
}
